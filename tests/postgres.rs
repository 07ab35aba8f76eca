//! `PostgresStore` on a real server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "postgres/durable.rs"]
mod durable;
#[path = "postgres/faults.rs"]
mod faults;
#[path = "postgres/owners.rs"]
mod owners;
#[path = "postgres/races.rs"]
mod races;
#[path = "postgres/rest.rs"]
mod rest;
#[path = "postgres/schema.rs"]
mod schema;
mod servers;
#[path = "postgres/statements.rs"]
mod statements;
mod support;
#[path = "postgres/sweep.rs"]
mod sweep;

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use servers::postgres::Postgres;
use sessile::{
    PostgresStore, Record, Secret, Session, SessionHandle, SessionId, SessionLayer, StoreKey,
    Stored, Timestamp, merge, testing,
};

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
        .route("/me", get(async |account: Account| account.user))
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
}

fn app(store: PostgresStore, deadline: Duration) -> Router {
    let sessions = SessionLayer::builder(store, Secret::generate()).store_timeout(deadline);
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
#[ignore = "needs postgres (Debian package postgresql)"]
async fn the_contract_is_kept() {
    support::trace::install();
    testing::conformance(Postgres::shared().store().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn the_contract_is_kept_without_prepared_statements() {
    support::trace::install();
    testing::conformance(Postgres::shared().store().await.unprepared()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn the_contract_is_kept_over_a_single_connection() {
    support::trace::install();
    testing::conformance(Postgres::shared().store_over(1).await).await;
}
