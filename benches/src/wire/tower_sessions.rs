//! tower-sessions 0.14, the newest whose core its stores build with, with a signed cookie.

use axum::Router;
use axum::routing::get;
use tokio::time::sleep;
use tower_sessions_0_14::cookie::Key;
use tower_sessions_0_14::{Session, SessionManagerLayer, SessionStore};

use crate::contenders::WORK;

pub(super) fn over<S: SessionStore + Clone>(store: S) -> Router {
    let sessions = SessionManagerLayer::new(store).with_signed(Key::generate());
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Session| count(&session).await.to_string()),
        )
        .route("/write", get(write))
        .route("/slow", get(slow))
        .layer(sessions)
}

async fn write(session: Session) -> String {
    let page_views = count(&session).await + 1;
    store(&session, page_views).await
}

async fn slow(session: Session) -> String {
    let page_views = count(&session).await + 1;
    sleep(WORK).await;
    store(&session, page_views).await
}

async fn count(session: &Session) -> u64 {
    let found = session.get("page_views").await.expect("a number");
    found.unwrap_or_default()
}

async fn store(session: &Session, page_views: u64) -> String {
    let stored = session.insert("page_views", page_views).await;
    stored.expect("a number");
    page_views.to_string()
}
