use sessile::Session;

#[derive(Default, serde::Serialize)]
struct Coupon;

#[derive(Session)]
struct Cart {
    coupon: Coupon,
}

fn main() {}
