use sessile::Session;

#[derive(Session)]
struct Cart {
    coupon: Coupon,
}

fn main() {}
