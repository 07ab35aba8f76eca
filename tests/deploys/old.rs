//! The binary that is being replaced.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sessile::{Session, merge};

#[derive(Session)]
struct Cart {
    #[session(merge = merge::Append)]
    items: Vec<String>,
    currency: String,
    /// How many columns a page shows.
    layout: u32,
    voucher: String,
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/add/{item}", get(add))
        .route("/layout/{columns}", get(set_layout))
        .route("/voucher/{voucher}", get(set_voucher))
        .route(
            "/cart",
            get(async |cart: Cart| {
                let Cart {
                    items,
                    currency,
                    layout,
                    voucher,
                } = cart;
                format!("{} {currency:?} {layout} {voucher:?}", items.concat())
            }),
        )
}

async fn add(mut cart: Session<Cart>, Path(item): Path<String>) {
    cart.items.push(item);
}

async fn set_layout(mut cart: Session<Cart>, Path(columns): Path<u32>) {
    cart.layout = columns;
}

async fn set_voucher(mut cart: Session<Cart>, Path(voucher): Path<String>) {
    cart.voucher = voucher;
}
