//! `axum_session`, as its README says, in memory alone and with a signed cookie.

use std::fmt::Debug;

use axum::Router;
use axum::routing::get;
use axum_session::{
    DatabasePool, Key, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore,
};
use tokio::time::sleep;

use super::contender::{Contender, WORK};

pub(super) const CONTENDER: Contender = Contender {
    name: "axum_session, signed",
    has_sessions: true,
    app: || Box::pin(app()),
};

async fn app() -> Router {
    over::<SessionNullPool>(None).await
}

/// What it wants of the pool of a store.
pub(crate) trait Pool: DatabasePool + Clone + Debug + Send + Sync + 'static {}

impl<P: DatabasePool + Clone + Debug + Send + Sync + 'static> Pool for P {}

pub(crate) async fn over<P: Pool>(pool: Option<P>) -> Router {
    let config = SessionConfig::default().with_key(Key::generate());
    let store = SessionStore::new(pool, config).await;
    let sessions = SessionLayer::new(store.expect("a store"));
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Session<P>| count(&session, "page_views").to_string()),
        )
        .route(
            "/write",
            get(async |session: Session<P>| {
                let page_views = count(&session, "page_views") + 1;
                session.set("page_views", page_views);
                page_views.to_string()
            }),
        )
        .route(
            "/slow",
            get(async |session: Session<P>| {
                let page_views = count(&session, "page_views") + 1;
                sleep(WORK).await;
                session.set("page_views", page_views);
                page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |session: Session<P>| {
                let user = count(&session, "user") + 1;
                session.renew();
                session.set("user", user);
                user.to_string()
            }),
        )
        .layer(sessions)
}

fn count<P: Pool>(session: &Session<P>, key: &str) -> u64 {
    session.get(key).unwrap_or_default()
}
