//! actix-web, and actix-session as its README says, on one worker thread.

use std::net::TcpListener;

use actix_session::storage::{CookieSessionStore, RedisSessionStore, SessionStore};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::rt::System;
use actix_web::web::{ServiceConfig, get};
use actix_web::{App, HttpServer};

pub(super) fn bare(listener: TcpListener, _: String) {
    let served = HttpServer::new(|| {
        App::new()
            .route("/untouched", get().to(untouched))
            .route("/read", get().to(async || 1_u64.to_string()))
            .route("/write", get().to(async || 2_u64.to_string()))
    });
    let served = served.workers(1).disable_signals().listen(listener);
    let ended = System::new().block_on(served.expect("a socket").run());
    ended.expect("it serves");
}

pub(super) fn in_cookie(listener: TcpListener, _: String) {
    System::new().block_on(over(listener, CookieSessionStore::default));
}

pub(super) fn in_redis(listener: TcpListener, url: String) {
    System::new().block_on(async {
        let store = RedisSessionStore::new(url).await.expect("Redis");
        over(listener, move || store.clone()).await;
    });
}

async fn over<S: SessionStore + 'static>(
    listener: TcpListener,
    store: impl Fn() -> S + Clone + Send + 'static,
) {
    let key = Key::generate();
    let served = HttpServer::new(move || {
        let sessions = SessionMiddleware::new(store(), key.clone());
        App::new().wrap(sessions).configure(routes)
    });
    let served = served.workers(1).disable_signals().listen(listener);
    let ended = served.expect("a socket").run().await;
    ended.expect("it serves");
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/untouched", get().to(untouched))
        .route(
            "/read",
            get().to(async |session: Session| count(&session).to_string()),
        )
        .route(
            "/write",
            get().to(async |session: Session| {
                let page_views = count(&session) + 1;
                let stored = session.insert("page_views", page_views);
                stored.expect("a number");
                page_views.to_string()
            }),
        );
}

async fn untouched() -> &'static str {
    "untouched"
}

fn count(session: &Session) -> u64 {
    let found = session.get("page_views").expect("a number");
    found.unwrap_or_default()
}
