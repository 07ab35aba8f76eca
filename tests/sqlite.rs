//! `SqliteStore` on files of its own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod servers;
mod support;

use servers::Folder;
use sessile::{SqliteStore, testing};

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    support::trace::install();
    let folder = Folder::new("sqlite");
    let store = SqliteStore::open(folder.path().join("db")).await;
    testing::conformance(store.unwrap()).await;
}
