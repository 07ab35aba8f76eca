//! `SqliteStore` on files of its own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "sqlite/faults.rs"]
mod faults;
#[path = "sqlite/file.rs"]
mod file;
#[path = "sqlite/index.rs"]
mod index;
#[path = "sqlite/kills.rs"]
mod kills;
#[path = "sqlite/locked.rs"]
mod locked;
#[path = "sqlite/processes.rs"]
mod processes;
#[path = "sqlite/rest.rs"]
mod rest;
#[path = "sqlite/schema.rs"]
mod schema;
mod servers;
#[path = "sqlite/statements.rs"]
mod statements;
mod support;
#[path = "sqlite/two.rs"]
mod two;

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use file::File;
use sessile::{
    Record, Secret, Session, SessionHandle, SessionId, SessionLayer, SqliteStore, StoreKey, Stored,
    Timestamp, merge, testing,
};
use two::Two;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: String,
}

fn routes() -> Router {
    Router::new()
        .route("/untouched", get(async || "nothing"))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
        .route(
            "/login/{user}",
            get(async |session: SessionHandle, Path(user)| session.insert(Account { user })),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
}

fn app(store: SqliteStore, deadline: Duration) -> Router {
    let secret = Secret::try_from(&[7; 32][..]).unwrap();
    let sessions = SessionLayer::builder(store, secret).store_timeout(deadline);
    routes().layer(sessions.build().unwrap())
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn fresh_key() -> StoreKey {
    SessionId::from_bytes(std::array::from_fn(|_| fastrand::u8(..))).key()
}

/// A session of this revision, which ends so much later than now.
fn session(revision: u64, ends: Duration) -> Stored {
    let json =
        format!(r#"{{"v":1,"rev":{revision},"created":0,"data":{{"n":{{"n":{revision}}}}}}}"#);
    Stored {
        record: Record::from_json(json.as_bytes()).unwrap(),
        expires: now().plus(ends),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    let file = File::new();
    testing::conformance(file.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_over_a_single_connection_of_the_applications() {
    let file = File::new();
    testing::conformance(file.store_over(file.pool(1)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_by_two_who_share_a_file() {
    let file = File::new();
    let theirs = file.store_over(file.pool(4)).await;
    testing::conformance(Two::new(file.open().await, theirs)).await;
}
