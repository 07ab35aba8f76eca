//! A field counts as changed if its JSON changed; `==` has no say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use sessile::{Secret, Session, SessionHandle, SessionLayer};
use support::{Probe, Visitor};

/// A map that keeps the order of its keys, and that `==` compares without it, as an `IndexMap`.
#[derive(Serialize, Deserialize, Default)]
struct Ordered(Vec<(String, u8)>);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |map: &Self| map.0.iter().cloned().collect::<BTreeMap<_, _>>();
        sorted(self) == sorted(other)
    }
}

/// An entity: equal to any other of its id.
#[derive(Serialize, Deserialize, Default)]
struct Product {
    id: u64,
    price: u64,
}

impl PartialEq for Product {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A price as text: `==` knows no trailing zeros.
#[derive(Serialize, Deserialize, Default)]
struct Decimal(String);

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.0.trim_end_matches('0') == other.0.trim_end_matches('0')
    }
}

#[derive(Session, Default)]
struct Basket {
    order: Ordered,
    folder: PathBuf,
    product: Product,
    price: Decimal,
    tags: HashSet<u32>,
    count: u64,
}

fn basket() -> Basket {
    Basket {
        order: Ordered(vec![("a".to_owned(), 1), ("b".to_owned(), 2)]),
        folder: "photos".into(),
        product: Product { id: 1, price: 100 },
        price: Decimal("1.0".to_owned()),
        tags: (0..1000).collect(),
        count: 0,
    }
}

fn app(store: &Probe) -> Router {
    let routes = Router::new()
        .route(
            "/begin",
            get(async |session: SessionHandle| session.insert(basket())),
        )
        .route(
            "/order",
            get(async |mut basket: Session<Basket>| basket.order.0.swap(0, 1)),
        )
        .route(
            "/folder",
            get(async |mut basket: Session<Basket>| basket.folder = "photos/".into()),
        )
        .route(
            "/product",
            get(async |mut basket: Session<Basket>| basket.product.price = 50),
        )
        .route(
            "/price",
            get(async |mut basket: Session<Basket>| basket.price = Decimal("1.000".to_owned())),
        )
        .route(
            "/same",
            get(async |mut basket: Session<Basket>| {
                basket.count += 1;
                basket.count -= 1;
            }),
        )
        .route(
            "/rebuild",
            get(async |mut basket: Session<Basket>| {
                let mut tags: Vec<_> = basket.tags.drain().collect();
                tags.sort_unstable();
                basket.tags = tags.into_iter().collect();
            }),
        )
        .route(
            "/show",
            get(async |basket: Session<Basket>| {
                let Basket {
                    order,
                    folder,
                    product,
                    price,
                    tags,
                    count,
                } = &*basket;
                let order: String = order.0.iter().map(|(key, _)| key.as_str()).collect();
                let folder = folder.display();
                let (tags, price, cost) = (tags.len(), &price.0, product.price);
                format!("{order} {folder} {cost} {price} {tags} {count}")
            }),
        );
    routes.layer(SessionLayer::new(store.clone(), Secret::generate()))
}

async fn begun() -> (Probe, Visitor) {
    let store = Probe::new();
    let mut visitor = Visitor::new(&app(&store));
    visitor.get("/begin").await;
    store.calls();
    (store, visitor)
}

#[tokio::test]
async fn a_change_that_the_equality_of_its_type_overlooks_is_stored() {
    for (path, shown) in [
        ("/order", "ba photos 100 1.0 1000 0"),
        ("/folder", "ab photos/ 100 1.0 1000 0"),
        ("/product", "ab photos 50 1.0 1000 0"),
        ("/price", "ab photos 100 1.000 1000 0"),
    ] {
        let (store, mut visitor) = begun().await;
        visitor.get(path).await;
        assert_eq!(store.calls(), ["load", "replace"], "{path}");
        assert_eq!(visitor.get("/show").await.body, shown, "{path}");
    }
}

/// Each request reads the set anew, and it iterates in another order than it is stored.
#[tokio::test]
async fn a_set_in_another_order_than_it_is_stored_writes_nothing() {
    let (store, mut visitor) = begun().await;
    visitor.get("/same").await;
    assert_eq!(store.calls(), ["load"]);
}

#[tokio::test]
async fn a_set_that_was_rebuilt_loses_nothing() {
    let (store, mut visitor) = begun().await;
    visitor.get("/rebuild").await;
    assert_eq!(store.calls(), ["load", "replace"]);
    let shown = visitor.get("/show").await.body;
    assert_eq!(shown, "ab photos 100 1.0 1000 0");
}
