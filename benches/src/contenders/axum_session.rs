//! `axum_session`, as its README says, in memory alone and with a signed cookie.

use axum::Router;
use axum::routing::get;
use axum_session::{Key, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use super::Contender;

pub(super) const CONTENDER: Contender = Contender {
    name: "axum_session, signed",
    app: || Box::pin(app()),
};

type Memory = Session<SessionNullPool>;

async fn app() -> Router {
    let config = SessionConfig::default().with_key(Key::generate());
    let store = SessionStore::<SessionNullPool>::new(None, config).await;
    let sessions = SessionLayer::new(store.expect("a store in memory"));
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Memory| count(&session, "page_views").to_string()),
        )
        .route(
            "/write",
            get(async |session: Memory| {
                let page_views = count(&session, "page_views") + 1;
                session.set("page_views", page_views);
                page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |session: Memory| {
                let user = count(&session, "user") + 1;
                session.renew();
                session.set("user", user);
                user.to_string()
            }),
        )
        .layer(sessions)
}

fn count(session: &Memory, key: &str) -> u64 {
    session.get(key).unwrap_or_default()
}
