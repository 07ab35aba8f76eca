//! Two layers of one cookie name around one route: the inner one serves it, and the outer one adds
//! nothing.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use sessile::{CookieOptions, Rolling, Secret, SessionLayer};

use crate::routes::{NAME, Visits, routes};
use crate::support::{Builder, Probe, TestClock, Visitor};

/// Wraps the routes in two layers of one store, secret and name; only the outer one has settings.
fn site(settings: impl FnOnce(Builder) -> Builder) -> (Router, Probe) {
    let (store, secret) = (Probe::new(), Secret::generate());
    let layer = || SessionLayer::builder(store.clone(), secret.clone());
    let app = routes()
        .layer(layer().build().unwrap())
        .layer(settings(layer()).build().unwrap());
    (app, store)
}

/// Signs in, reads, changes, renews and logs out; each response sets at most one cookie.
async fn a_visitor_is_given_one_cookie_at_a_time(settings: impl FnOnce(Builder) -> Builder) {
    let (app, store) = site(settings);
    let mut visitor = Visitor::new(&app);
    for (path, body, sets) in [
        ("/login/ann", "", true),
        ("/me", "ann", false),
        ("/visit", "1", false),
        ("/login/bob", "", true),
        ("/me", "bob", false),
        ("/renew", "", true),
        ("/read", "1", false),
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.body, body, "{path}");
        let cookies = answer.set_cookies();
        assert!(cookies.len() <= 1, "{path}: {cookies:?}");
        assert!(!sets || cookies.len() == 1, "{path}: {cookies:?}");
        assert_eq!(store.memory().len(), 1, "{path}");
    }
    let answer = visitor.get("/logout").await;
    assert!(answer.set_cookie().starts_with(&format!("{NAME}=; ")));
    assert_eq!(store.memory().len(), 0);
}

#[tokio::test]
async fn the_outer_layer_stands_aside() {
    a_visitor_is_given_one_cookie_at_a_time(|builder| builder).await;
}

#[tokio::test]
async fn the_outer_layer_stands_aside_though_it_saves_what_is_uninitialized() {
    a_visitor_is_given_one_cookie_at_a_time(|builder| builder.save_uninitialized(true)).await;
}

#[tokio::test]
async fn the_outer_layer_stands_aside_though_it_saves_again() {
    a_visitor_is_given_one_cookie_at_a_time(|builder| builder.resave(true)).await;
}

#[tokio::test]
async fn the_outer_layer_stands_aside_though_it_rolls_with_every_response() {
    a_visitor_is_given_one_cookie_at_a_time(|builder| builder.rolling(Rolling::EveryResponse))
        .await;
}

#[tokio::test]
async fn a_lasting_cookie_is_set_once_though_middleware_between_reads_the_outer_session() {
    async fn reads(_: Visits, request: Request, next: Next) -> Response {
        next.run(request).await
    }
    let (store, secret, clock) = (Probe::new(), Secret::generate(), TestClock::new());
    let layer = || {
        let builder = SessionLayer::builder(store.clone(), secret.clone());
        let cookie = CookieOptions::new().max_age(Duration::from_hours(1));
        builder
            .cookie(cookie)
            .clock(clock.reader())
            .build()
            .unwrap()
    };
    let app = routes().layer(layer()).layer(from_fn(reads)).layer(layer());
    let mut visitor = Visitor::new(&app);
    for path in [
        "/login/ann",
        "/me",
        "/visit",
        "/login/bob",
        "/renew",
        "/logout",
    ] {
        // The end of the session is due to move.
        clock.advance(Duration::from_mins(2));
        let answer = visitor.get(path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        let cookies = answer.set_cookies();
        assert_eq!(cookies.len(), 1, "{path}: {cookies:?}");
    }
    assert_eq!(visitor.cookies(), None);
    assert_eq!(store.memory().len(), 0);
}
