//! The binary that replaces it: a field has another type, one another name, and two are new.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use sessile::{Session, merge};

#[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
struct Layout {
    columns: u32,
    dense: bool,
}

#[derive(Session)]
struct Cart {
    #[session(merge = merge::Append)]
    items: Vec<String>,
    currency: String,
    layout: Layout,
    #[session(alias = "voucher")]
    code: String,
    note: String,
    #[session(default = 3)]
    copies: u8,
}

#[derive(Session)]
struct Wishlist {
    items: Vec<String>,
}

/// At the top level of the record.
#[derive(Session)]
#[session(flatten)]
struct Express {
    page_views: u64,
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/add/{item}", get(add))
        .route("/layout/{columns}", get(set_layout))
        .route("/voucher/{code}", get(set_code))
        .route("/note/{note}", get(set_note))
        .route("/copies/{copies}", get(set_copies))
        .route("/wish/{item}", get(wish))
        .route(
            "/view",
            get(async |mut express: Session<Express>| express.page_views += 1),
        )
        .route(
            "/cart",
            get(async |cart: Cart| {
                let Cart {
                    items,
                    currency,
                    layout,
                    code,
                    note,
                    copies,
                } = cart;
                format!(
                    "{} {currency:?} {layout:?} {code:?} {note:?} {copies}",
                    items.concat()
                )
            }),
        )
}

async fn add(mut cart: Session<Cart>, Path(item): Path<String>) {
    cart.items.push(item);
}

async fn set_layout(mut cart: Session<Cart>, Path(columns): Path<u32>) {
    cart.layout.columns = columns;
}

async fn set_code(mut cart: Session<Cart>, Path(code): Path<String>) {
    cart.code = code;
}

async fn set_note(mut cart: Session<Cart>, Path(note): Path<String>) {
    cart.note = note;
}

async fn set_copies(mut cart: Session<Cart>, Path(copies): Path<u8>) {
    cart.copies = copies;
}

async fn wish(mut wishlist: Session<Wishlist>, Path(item): Path<String>) {
    wishlist.items.push(item);
}
