//! tower-sessions, as its README says, with a signed cookie.

use axum::Router;
use axum::routing::get;
use tokio::time::sleep;
use tower_sessions::cookie::Key;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::contender::{Contender, WORK};

pub(super) const CONTENDER: Contender = Contender {
    name: "tower-sessions, signed",
    has_sessions: true,
    app: || Box::pin(async { app() }),
};

async fn count(session: &Session, key: &str) -> u64 {
    let found = session.get(key).await.expect("a number");
    found.unwrap_or_default()
}

fn app() -> Router {
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_signed(Key::generate());
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Session| count(&session, "page_views").await.to_string()),
        )
        .route(
            "/write",
            get(async |session: Session| {
                let page_views = count(&session, "page_views").await + 1;
                let stored = session.insert("page_views", page_views).await;
                stored.expect("a number");
                page_views.to_string()
            }),
        )
        .route(
            "/slow",
            get(async |session: Session| {
                let page_views = count(&session, "page_views").await + 1;
                sleep(WORK).await;
                let stored = session.insert("page_views", page_views).await;
                stored.expect("a number");
                page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |session: Session| {
                let user = count(&session, "user").await + 1;
                session.cycle_id().await.expect("a new id");
                session.insert("user", user).await.expect("a number");
                user.to_string()
            }),
        )
        .layer(sessions)
}
