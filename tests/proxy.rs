//! Cookies that follow the connection, and the word of a proxy that is trusted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use sessile::{
    ConfigError, CookieOptions, Hop, MemoryStore, SameSite, Secret, Secure, Session, SessionHandle,
    SessionLayer, TrustedProxy, merge,
};
use support::Log;
use support::visitor::{Answer, ask};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

const AUTO: CookieOptions = CookieOptions::new()
    .secure(Secure::Auto)
    .same_site(SameSite::Auto)
    .checked("sid");

fn app(proxy: TrustedProxy) -> Router {
    let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .name("sid")
        .cookie(AUTO)
        .trusted_proxy(proxy)
        .build()
        .unwrap();
    Router::new()
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| visits.page_views += 1),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
        .layer(sessions)
}

async fn visit(app: &Router, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get("/visit");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(app, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn auto_is_secure_and_third_party_over_https_and_neither_over_http() {
    let proxy = TrustedProxy::XForwardedProto(Hop::Last);
    for (scheme, expected) in [
        ("https", "HttpOnly; SameSite=None; Secure; Path=/"),
        ("http", "HttpOnly; SameSite=Lax; Path=/"),
    ] {
        let answer = visit(&app(proxy), &[("x-forwarded-proto", scheme)]).await;
        let cookie = answer.set_cookie();
        assert_eq!(cookie.split_once("; ").unwrap().1, expected);
    }
}

#[tokio::test]
async fn a_header_of_a_proxy_that_is_not_trusted_says_nothing() {
    let claims = [("x-forwarded-proto", "https"), ("forwarded", "proto=https")];
    let cookie = visit(&app(TrustedProxy::Nobody), &claims)
        .await
        .set_cookie();
    assert!(!cookie.contains("Secure"), "{cookie}");
    let cookie = visit(&app(TrustedProxy::Forwarded(Hop::Last)), &claims[..1])
        .await
        .set_cookie();
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_removal_has_the_attributes_of_its_connection() {
    let app = app(TrustedProxy::XForwardedProto(Hop::Last));
    let https = ("x-forwarded-proto", "https");
    let cookie = visit(&app, &[https]).await.set_cookie();
    let (pair, _) = cookie.split_once(';').unwrap();
    let request = Request::get("/destroy")
        .header(https.0, https.1)
        .header("cookie", pair);
    let removal = ask(&app, request.body(Body::empty()).unwrap())
        .await
        .set_cookie();
    assert!(
        removal.starts_with("sid=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0"),
        "{removal}"
    );
}

#[tokio::test]
async fn a_secure_cookie_that_browsers_drop_is_said_once() {
    let secure = || {
        let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
        let visits = get(async |mut visits: Session<Visits>| visits.page_views += 1);
        Router::new().route("/visit", visits).layer(sessions)
    };
    for (host, said) in [("example.com", 1), ("127.0.0.1:3000", 0), ("localhost", 0)] {
        let app = secure();
        let (log, logged) = Log::listen();
        visit(&app, &[("host", host)]).await;
        visit(&app, &[("host", host)]).await;
        drop(logged);
        let warnings = log.warnings();
        assert_eq!(warnings.len(), said, "{host}: {warnings:?}");
        assert!(
            warnings
                .iter()
                .all(|line| line.contains("browsers drop it")),
            "{warnings:?}"
        );
    }
}

#[test]
fn auto_is_refused_where_one_of_its_two_cookies_would_be() {
    for (name, options) in [
        ("__Host-sid", CookieOptions::new().secure(Secure::Auto)),
        (
            "sid",
            CookieOptions::new().secure(Secure::Auto).partitioned(true),
        ),
        (
            "sid",
            CookieOptions::new()
                .secure(Secure::Auto)
                .same_site(SameSite::None),
        ),
        (
            "sid",
            CookieOptions::new()
                .secure(Secure::Never)
                .same_site(SameSite::Auto),
        ),
    ] {
        let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate());
        let built = builder.name(name).cookie(options).build();
        assert!(
            matches!(built, Err(ConfigError::Cookie(_))),
            "{name} {options:?}"
        );
    }
}
