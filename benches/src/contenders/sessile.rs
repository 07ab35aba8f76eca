//! sessile, as its README says.

use axum::Router;
use axum::routing::get;
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};
use tokio::time::sleep;

use super::contender::{Contender, WORK};

pub(super) const CONTENDER: Contender = Contender {
    name: "sessile",
    has_sessions: true,
    app: || Box::pin(async { app() }),
};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session)]
struct Account {
    #[session(privilege)]
    user: u64,
}

fn app() -> Router {
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    routes().layer(sessions)
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |visits: Visits| visits.page_views.to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                visits.page_views.to_string()
            }),
        )
        .route(
            "/slow",
            get(async |mut visits: Session<Visits>| {
                let page_views = visits.page_views + 1;
                sleep(WORK).await;
                visits.page_views = page_views;
                page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |mut account: Session<Account>| {
                account.user += 1;
                account.user.to_string()
            }),
        )
}
