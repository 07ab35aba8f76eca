//! ruts, as its README says, with its store in memory and a signed cookie.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use ruts::store::moka::MokaStoreBuilder;
use ruts::store::{SessionStore, Ttl};
use ruts::{CookieOptions, Session, SessionLayer};
use tokio::time::sleep;
use tower_cookies::{CookieManagerLayer, Key};

use super::contender::{Contender, WORK};

pub(super) const CONTENDER: Contender = Contender {
    name: "ruts, signed",
    has_sessions: true,
    app: || Box::pin(async { app() }),
};

fn hour() -> Ttl {
    Ttl::new(3600).expect("an hour")
}

async fn count<S: SessionStore>(session: &Session<S>, key: &str) -> u64 {
    let found = session.get(key).await.expect("a number");
    found.unwrap_or_default()
}

fn app() -> Router {
    over(MokaStoreBuilder::new().max_capacity(2_000_000).build())
}

pub(crate) fn over<S: SessionStore>(store: S) -> Router {
    let cookie = CookieOptions::build()
        .name("session")
        .http_only(true)
        .secure(true)
        .max_age(3600)
        .path("/")
        .signing_key(Key::generate());
    let sessions = SessionLayer::new(Arc::new(store)).with_cookie_options(cookie);
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Session<S>| count(&session, "page_views").await.to_string()),
        )
        .route(
            "/write",
            get(async |session: Session<S>| {
                let page_views = count(&session, "page_views").await + 1;
                let stored = session.set("page_views", &page_views, hour(), None).await;
                stored.expect("a number");
                page_views.to_string()
            }),
        )
        .route(
            "/slow",
            get(async |session: Session<S>| {
                let page_views = count(&session, "page_views").await + 1;
                sleep(WORK).await;
                let stored = session.set("page_views", &page_views, hour(), None).await;
                stored.expect("a number");
                page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |session: Session<S>| {
                let user = count(&session, "user").await + 1;
                session.prepare_regenerate();
                let stored = session.set("user", &user, hour(), None).await;
                stored.expect("a number");
                user.to_string()
            }),
        )
        .layer(sessions)
        .layer(CookieManagerLayer::new())
}
