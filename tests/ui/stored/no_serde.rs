use sessile::Session;

#[derive(Default)]
struct Coupon;

#[derive(Session)]
struct Cart {
    coupon: Coupon,
    past: Vec<Option<Coupon>>,
}

fn main() {}
