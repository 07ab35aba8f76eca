use sessile::{Session, merge};

#[derive(Default, Clone, PartialEq)]
struct Coupon;

#[derive(Session)]
struct Cart {
    #[session(default = Coupon, merge = merge::Replace)]
    coupon: Coupon,
}

async fn live(mut cart: Session<Cart>) {
    cart.coupon = Coupon;
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(live));
}
