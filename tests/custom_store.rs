//! The example of a store of one's own keeps the contract, and its page counts.

mod support;

#[path = "../examples/custom_store.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod custom_store;

use custom_store::MapStore;
use support::Visitor;

#[tokio::test]
async fn it_keeps_the_contract() {
    sessile::testing::conformance(MapStore::default()).await;
}

#[tokio::test]
async fn it_counts_page_views() {
    let app = custom_store::app();
    let mut visitor = Visitor::new(&app);
    let first = visitor.get("/").await.body;
    assert_eq!(first, "Welcome to this page for the first time!");
    let second = visitor.get("/").await.body;
    assert_eq!(second, "You visited this page 2 times");
}
