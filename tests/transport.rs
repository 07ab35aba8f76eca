//! A token that travels in a header, in a cookie, or in either: byte for byte over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use sessile::{
    ConfigError, CookieOptions, MemoryStore, Rolling, Secret, Session, SessionHandle, SessionLayer,
    SessionLayerBuilder, Transport, merge,
};
use support::{Log, Probe, TestClock};
use tower::ServiceExt;
use wire::Reply;

const NAME: HeaderName = HeaderName::from_static("x-session");
const HEADER: Transport = Transport::Header(NAME);
const EITHER: Transport = Transport::Either(NAME);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

type Builder = SessionLayerBuilder<'static>;

struct Stage {
    store: Probe,
    clock: TestClock,
    app: Router,
    address: SocketAddr,
}

async fn stage(transport: Transport) -> Stage {
    stage_with(transport, |builder| builder).await
}

async fn stage_with(transport: Transport, settings: impl FnOnce(Builder) -> Builder) -> Stage {
    let (store, clock) = (Probe::new(), TestClock::new());
    let builder = SessionLayer::builder(store.clone(), Secret::generate())
        .clock(clock.reader())
        .transport(transport);
    let app = routes().layer(settings(builder).build().unwrap());
    let address = wire::serve(app.clone()).await;
    Stage {
        store,
        clock,
        app,
        address,
    }
}

fn routes() -> Router {
    Router::new()
        .route("/untouched", get(|| async { "hello" }))
        .route(
            "/read",
            get(read).post(async |visits: Session<Visits>, _body: String| read(visits).await),
        )
        .route("/visit", get(visit))
        .route("/login", get(login))
        .route("/logout", post(logout).get(logout))
        .route(
            "/visit-500",
            get(async |visits: Session<Visits>| {
                visit(visits).await;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/save-500",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                Session::save(&mut visits).await.unwrap();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/cached",
            get(async |visits: Session<Visits>| {
                let headers = [("cache-control", "public"), ("x-session", "the handler's")];
                (headers, visit(visits).await)
            }),
        )
}

async fn read(visits: Session<Visits>) -> String {
    visits.page_views.to_string()
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

async fn login(session: SessionHandle, visits: Session<Visits>) -> String {
    session.renew();
    visit(visits).await
}

async fn logout(session: SessionHandle) {
    session.destroy();
}

async fn ask(stage: &Stage, path: &str, headers: &[&str]) -> Reply {
    wire::ask(stage.address, &format!("GET {path}"), headers, "").await
}

/// A session of two visits, by header.
async fn begun(stage: &Stage) -> String {
    let token = by_header(&ask(stage, "/visit", &["x-session:"]).await);
    ask(stage, "/visit", &[&header(&token)]).await;
    stage.store.calls();
    token
}

/// The token that a response brings in the header, and in nothing else.
fn by_header(reply: &Reply) -> String {
    assert_eq!(values(reply, "set-cookie"), [""; 0], "{}", reply.head());
    let values = values(reply, "x-session");
    assert_eq!(values.len(), 1, "{}", reply.head());
    assert_eq!(reply.header("cache-control").next(), Some("no-store"));
    values[0].to_owned()
}

/// The token that a response brings in a cookie, and in nothing else.
fn by_cookie(reply: &Reply) -> String {
    assert_eq!(values(reply, "x-session"), [""; 0], "{}", reply.head());
    let cookies = values(reply, "set-cookie");
    assert_eq!(cookies.len(), 1, "{}", reply.head());
    let (pair, _) = cookies[0].split_once(';').unwrap();
    pair.strip_prefix("__Host-sid=").unwrap().to_owned()
}

fn brings_nothing(reply: &Reply) {
    assert_eq!(values(reply, "x-session"), [""; 0], "{}", reply.head());
    assert_eq!(values(reply, "set-cookie"), [""; 0], "{}", reply.head());
}

fn values<'r>(reply: &'r Reply, name: &'static str) -> Vec<&'r str> {
    let lines = reply.head().lines().skip(1);
    let named = lines.filter_map(|line| line.split_once(':'));
    named
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.trim())
        .collect()
}

fn header(token: &str) -> String {
    format!("x-session: {token}")
}

fn cookie(token: &str) -> String {
    format!("cookie: __Host-sid={token}")
}

/// A token that nobody signed.
fn forged() -> String {
    format!("{}.{}", "x".repeat(32), "A".repeat(43))
}

/// The head without its date.
fn head(reply: &Reply) -> Vec<&str> {
    let lines = reply.head().lines();
    lines.filter(|line| !line.starts_with("date: ")).collect()
}

#[tokio::test]
async fn a_first_change_brings_the_token_in_the_header_alone() {
    let stage = stage(HEADER).await;
    let reply = ask(&stage, "/visit", &[]).await;
    assert_eq!(stage.store.calls(), ["insert"]);
    let token = by_header(&reply);
    assert_eq!(token.len(), 76);
    let expected = [
        "HTTP/1.1 200 OK",
        "content-type: text/plain; charset=utf-8",
        "vary: x-session",
        "cache-control: no-store",
        &header(&token),
        "content-length: 1",
        "connection: close",
    ];
    assert_eq!(head(&reply), expected);
    assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "1");
}

#[tokio::test]
async fn a_token_is_sent_once_and_again_only_with_a_new_id() {
    let stage = stage(HEADER).await;
    let token = begun(&stage).await;
    for path in ["/read", "/visit"] {
        brings_nothing(&ask(&stage, path, &[&header(&token)]).await);
    }
    stage.store.calls();
    let reply = ask(&stage, "/login", &[&header(&token)]).await;
    assert_eq!(stage.store.calls(), ["load", "rotate"]);
    let new = by_header(&reply);
    assert_ne!(new, token);
    assert_eq!(ask(&stage, "/read", &[&header(&new)]).await.body(), "4");
    assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "0");
}

#[tokio::test]
async fn an_untouched_request_is_free() {
    for transport in [HEADER, EITHER] {
        let stage = stage(transport).await;
        let token = begun(&stage).await;
        let reply = ask(&stage, "/untouched", &[&header(&token)]).await;
        brings_nothing(&reply);
        assert_eq!(values(&reply, "vary"), [""; 0]);
        assert_eq!(stage.store.calls(), [""; 0]);
    }
}

#[tokio::test]
async fn vary_names_what_was_read() {
    for (transport, vary) in [
        (Transport::Cookie, "Cookie"),
        (HEADER, "x-session"),
        (EITHER, "Cookie, x-session"),
    ] {
        let reply = ask(&stage(transport).await, "/read", &[]).await;
        assert_eq!(values(&reply, "vary"), [vary]);
        brings_nothing(&reply);
    }
}

#[tokio::test]
async fn a_transport_reads_nothing_but_its_own() {
    let stage = stage(HEADER).await;
    let token = begun(&stage).await;
    let reply = ask(&stage, "/read", &[&cookie(&token)]).await;
    assert_eq!((reply.body(), stage.store.calls()), ("0", vec![]));

    let stage = self::stage(Transport::Cookie).await;
    let token = by_cookie(&ask(&stage, "/visit", &["x-session:"]).await);
    stage.store.calls();
    let reply = ask(&stage, "/read", &[&header(&token)]).await;
    assert_eq!((reply.body(), stage.store.calls()), ("0", vec![]));
}

#[tokio::test]
async fn a_token_in_a_query_or_a_body_is_never_read() {
    for transport in [HEADER, EITHER] {
        let stage = stage(transport.clone()).await;
        let token = begun(&stage).await;
        let query = format!("x-session={token}&__Host-sid={token}&token={token}&sid={token}");
        let json = format!(r#"{{"x-session":"{token}","__Host-sid":"{token}"}}"#);
        for (path, content_type, body) in [
            (format!("/read?{query}"), "text/plain", ""),
            (format!("/read?{token}"), "text/plain", ""),
            (
                "/read".to_owned(),
                "application/x-www-form-urlencoded",
                query.as_str(),
            ),
            ("/read".to_owned(), "application/json", &json),
            ("/read".to_owned(), "text/plain", &token),
        ] {
            let content_type = format!("content-type: {content_type}");
            let line = format!("POST {path}");
            let reply = wire::ask(stage.address, &line, &[&content_type], body).await;
            assert_eq!(reply.body(), "0", "{transport:?} {path}");
            assert_eq!(stage.store.calls(), [""; 0], "{transport:?} {path}");
        }
    }
}

#[tokio::test]
async fn destroying_empties_the_header_unless_the_session_was_gone() {
    let stage = stage(HEADER).await;
    let token = begun(&stage).await;
    let reply = ask(&stage, "/logout", &[&header(&token)]).await;
    assert_eq!(stage.store.calls(), ["load", "remove"]);
    assert_eq!(by_header(&reply), "");
    assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "0");
    brings_nothing(&ask(&stage, "/logout", &[&header(&token)]).await);
    brings_nothing(&ask(&stage, "/logout", &["x-session:"]).await);
}

#[tokio::test]
async fn the_answer_goes_the_way_the_request_came() {
    let stage = stage(EITHER).await;
    let native = by_header(&ask(&stage, "/visit", &["x-session:"]).await);
    let browser = by_cookie(&ask(&stage, "/visit", &[]).await);
    for (path, views) in [("/visit", "2"), ("/login", "3")] {
        let reply = ask(&stage, path, &[&header(&native)]).await;
        assert_eq!(reply.body(), views);
        assert_eq!(values(&reply, "set-cookie"), [""; 0]);
        let reply = ask(&stage, path, &[&cookie(&browser)]).await;
        assert_eq!(reply.body(), views);
        assert_eq!(values(&reply, "x-session"), [""; 0]);
    }
    let native = by_header(&ask(&stage, "/visit", &["x-session:"]).await);
    let browser = by_cookie(&ask(&stage, "/visit", &[]).await);
    let removal = ask(&stage, "/logout", &[&header(&native)]).await;
    assert_eq!(by_header(&removal), "");
    let removal = ask(&stage, "/logout", &[&cookie(&browser)]).await;
    assert_eq!(by_cookie(&removal), "");
}

#[tokio::test]
async fn who_has_neither_gets_a_cookie_unless_the_header_is_there() {
    let stage = stage(EITHER).await;
    by_cookie(&ask(&stage, "/visit", &[]).await);
    by_cookie(&ask(&stage, "/visit", &["cookie: other=1"]).await);
    for asked in ["x-session:", "x-session: garbage", &header(&forged())] {
        by_header(&ask(&stage, "/visit", &[asked]).await);
        by_header(&ask(&stage, "/visit", &[asked, "cookie: other=1"]).await);
        // What a neighbour has planted does not turn the answer away.
        by_header(&ask(&stage, "/visit", &[asked, &cookie(&forged())]).await);
    }
}

#[tokio::test]
async fn a_script_does_not_get_the_token_of_a_cookie_by_asking_for_the_header() {
    let stage = stage(EITHER).await;
    let mut token = by_cookie(&ask(&stage, "/visit", &[]).await);
    for asked in ["x-session:", "x-session: garbage", &header(&forged())] {
        let reply = ask(&stage, "/login", &[asked, &cookie(&token)]).await;
        token = by_cookie(&reply);
    }
    let same = ask(&stage, "/login", &[&header(&token), &cookie(&token)]).await;
    let token = by_cookie(&same);
    assert_eq!(same.body(), "5");
    // Nor where the cookie's session has ended.
    ask(&stage, "/logout", &[&cookie(&token)]).await;
    by_cookie(&ask(&stage, "/visit", &["x-session:", &cookie(&token)]).await);
}

#[tokio::test]
async fn valid_tokens_of_different_sessions_are_refused_together() {
    let stage = stage(EITHER).await;
    let native = by_header(&ask(&stage, "/visit", &["x-session:"]).await);
    let browser = by_cookie(&ask(&stage, "/visit", &[]).await);
    // What was said once before is known to tracing when the log comes.
    ask(&stage, "/read", &[&header(&native), &cookie(&browser)]).await;
    stage.store.calls();
    let (log, guard) = Log::listen();
    let ambiguous = [
        [header(&native), cookie(&browser)],
        [header(&native), header(&browser)],
        [cookie(&native), cookie(&browser)],
    ];
    for lines in &ambiguous {
        let mut request = Request::get("/read");
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = support::visitor::ask(&stage.app, request).await;
        assert_eq!(answer.body, "0");
        assert_eq!(stage.store.calls(), ["load"; 2], "{lines:?}");
    }
    drop(guard);
    let said = log.warnings();
    assert_eq!(said.len(), 3);
    assert!(
        said.iter().all(|line| line.contains("two different")),
        "{said:?}"
    );
    assert!(said.iter().all(|line| !line.contains(&native)), "{said:?}");
    for token in [native, browser] {
        assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "1");
    }
}

#[tokio::test]
async fn four_well_formed_candidates_are_checked_wherever_they_are() {
    let stage = stage(EITHER).await;
    let token = begun(&stage).await;
    let (garbage, forged) = (header("garbage"), header(&forged()));
    let ours = header(&token);
    let planted = cookie(&self::forged());
    for (lines, views) in [
        (
            vec![&garbage, &garbage, &garbage, &garbage, &garbage, &ours],
            "2",
        ),
        (vec![&forged, &forged, &forged, &ours], "2"),
        (vec![&forged, &forged, &forged, &forged, &ours], "0"),
        (vec![&ours, &ours], "2"),
        // The header's come first, so that a neighbour's cookies do not crowd them out.
        (vec![&planted, &planted, &planted, &planted, &ours], "2"),
    ] {
        let lines: Vec<&str> = lines.into_iter().map(String::as_str).collect();
        assert_eq!(
            ask(&stage, "/read", &lines).await.body(),
            views,
            "{lines:?}"
        );
    }
    let ours = cookie(&token);
    let lines: [&str; 5] = [&forged, &forged, &planted, &planted, &ours];
    assert_eq!(ask(&stage, "/read", &lines).await.body(), "0");
    assert_eq!(ask(&stage, "/read", &lines[1..]).await.body(), "2");
}

#[tokio::test]
async fn only_the_exact_token_is_a_candidate() {
    let stage = stage(HEADER).await;
    let token = begun(&stage).await;
    let huge = "x".repeat(64 * 1024);
    let long = format!("{token}{}", "A".repeat(64 * 1024));
    for value in [
        String::new(),
        format!("\"{token}\""),
        format!("{token},{token}"),
        format!("{token}, {token}"),
        format!("Bearer {token}"),
        format!("__Host-sid={token}"),
        format!("{token};"),
        token.replace('.', "%2E"),
        token.to_lowercase() + "=",
        "\u{1f36a}".to_owned(),
        huge,
        long,
    ] {
        let reply = ask(&stage, "/read", &[&header(&value)]).await;
        assert_eq!((reply.status(), reply.body()), (200, "0"), "{value:.99}");
        assert_eq!(stage.store.calls(), [""; 0], "{value:.99}");
        brings_nothing(&reply);
    }
    let bytes = HeaderValue::from_bytes(b"\xff\xfe\x80").unwrap();
    let request = Request::get("/read").header(NAME, bytes);
    let answer = stage
        .app
        .clone()
        .oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_fits_the_layer_of_its_name_alone() {
    let (store, secret) = (Probe::new(), Secret::generate());
    let app = |name: &str| {
        let builder = SessionLayer::builder(store.clone(), secret.clone());
        routes().layer(builder.name(name).transport(HEADER).build().unwrap())
    };
    let (shop, admin) = (
        wire::serve(app("shop")).await,
        wire::serve(app("admin")).await,
    );
    let token = by_header(&wire::ask(shop, "GET /visit", &[], "").await);
    store.calls();
    let reply = wire::ask(admin, "GET /read", &[&header(&token)], "").await;
    assert_eq!((reply.body(), store.calls()), ("0", vec![]));
    assert_eq!(
        wire::ask(shop, "GET /read", &[&header(&token)], "")
            .await
            .body(),
        "1"
    );
}

#[tokio::test]
async fn a_token_of_a_previous_secret_is_signed_anew() {
    let (store, old, new) = (Probe::new(), Secret::generate(), Secret::generate());
    let app = |secret: &Secret, previous: Vec<Secret>| {
        let builder = SessionLayer::builder(store.clone(), secret.clone());
        let builder = builder.previous_secrets(previous).transport(HEADER);
        routes().layer(builder.build().unwrap())
    };
    let before = wire::serve(app(&old, vec![])).await;
    let after = wire::serve(app(&new, vec![old.clone()])).await;
    let token = by_header(&wire::ask(before, "GET /visit", &[], "").await);
    let reply = wire::ask(after, "GET /read", &[&header(&token)], "").await;
    let signed_anew = by_header(&reply);
    assert_eq!(reply.body(), "1");
    assert_ne!(signed_anew, token);
    let id = |token: &str| token.split_once('.').unwrap().0.to_owned();
    assert_eq!(id(&signed_anew), id(&token));
    brings_nothing(&wire::ask(after, "GET /read", &[&header(&signed_anew)], "").await);
}

#[tokio::test]
async fn no_lifetime_travels_with_a_header() {
    let persistent = CookieOptions::new().max_age(Duration::from_hours(1));
    for rolling in [Rolling::OnTouch, Rolling::EveryResponse, Rolling::OnChange] {
        let stage = stage_with(HEADER, |b| b.cookie(persistent).rolling(rolling)).await;
        let token = begun(&stage).await;
        for path in ["/read", "/visit", "/untouched"] {
            stage.clock.advance(Duration::from_mins(30));
            brings_nothing(&ask(&stage, path, &[&header(&token)]).await);
        }
        assert!(
            stage.store.calls().contains(&"touch"),
            "the end still moves"
        );
        assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "3");
    }
}

#[tokio::test]
async fn resave_and_save_uninitialized_pay_for_untouched_requests_too() {
    let stage = stage_with(HEADER, |b| b.resave(true).save_uninitialized(true)).await;
    let token = by_header(&ask(&stage, "/untouched", &[]).await);
    assert_eq!(stage.store.calls(), ["insert"]);
    brings_nothing(&ask(&stage, "/untouched", &[&header(&token)]).await);
    assert_eq!(stage.store.calls(), ["load", "replace"]);
    let stage = stage_with(EITHER, |b| b.save_uninitialized(true)).await;
    by_header(&ask(&stage, "/untouched", &["x-session:"]).await);
    by_cookie(&ask(&stage, "/untouched", &[]).await);
}

#[tokio::test]
async fn a_server_error_brings_a_token_only_for_what_was_saved() {
    let stage = stage(HEADER).await;
    brings_nothing(&ask(&stage, "/visit-500", &[]).await);
    let reply = ask(&stage, "/save-500", &[]).await;
    assert_eq!(reply.status(), 500);
    let token = by_header(&reply);
    assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "1");
}

#[tokio::test]
async fn a_store_that_is_down_is_503_without_a_token() {
    let stage = stage(HEADER).await;
    let token = begun(&stage).await;
    stage.store.fail(&["load"]);
    let reply = ask(&stage, "/visit", &[&header(&token)]).await;
    assert_eq!(reply.status(), 503);
    brings_nothing(&reply);
    stage.store.fail(&["insert", "replace", "rotate", "remove"]);
    for path in ["/visit", "/login", "/logout"] {
        let reply = ask(&stage, path, &[&header(&token)]).await;
        assert_eq!(
            (reply.status(), values(&reply, "vary")),
            (503, vec!["x-session"])
        );
        brings_nothing(&reply);
    }
    let reply = ask(&stage, "/visit", &[]).await;
    assert_eq!(reply.status(), 503);
    brings_nothing(&reply);
    stage.store.fail(&[]);
    assert_eq!(ask(&stage, "/read", &[&header(&token)]).await.body(), "2");
}

#[tokio::test]
async fn a_session_that_vanished_is_409_without_a_token() {
    let store = Probe::new();
    let layer = SessionLayer::builder(store.clone(), Secret::generate()).transport(EITHER);
    let (pause, resume) = (tokio::sync::Barrier::new(2), tokio::sync::Barrier::new(2));
    let gates: &'static _ = Box::leak(Box::new((pause, resume)));
    let slow = get(async |visits: Session<Visits>| {
        gates.0.wait().await;
        gates.1.wait().await;
        visit(visits).await
    });
    let app = routes().route("/slow", slow).layer(layer.build().unwrap());
    let address = wire::serve(app).await;
    let token = by_header(&wire::ask(address, "GET /visit", &["x-session:"], "").await);
    let line = header(&token);
    let slow = tokio::spawn({
        let line = line.clone();
        async move { wire::ask(address, "GET /slow", &[&line], "").await }
    });
    gates.0.wait().await;
    wire::ask(address, "GET /logout", &[&line], "").await;
    gates.1.wait().await;
    let reply = slow.await.unwrap();
    assert_eq!(reply.status(), 409);
    brings_nothing(&reply);
}

#[tokio::test]
async fn no_cache_keeps_a_token_and_no_handler_overwrites_it() {
    let stage = stage(HEADER).await;
    let token = by_header(&ask(&stage, "/cached", &[]).await);
    assert_eq!(token.len(), 76);
    let reply = ask(&stage, "/cached", &[&header(&token)]).await;
    assert_eq!(values(&reply, "cache-control"), ["public"]);
    assert_eq!(values(&reply, "x-session"), ["the handler's"]);
}

#[tokio::test]
async fn what_carries_a_token_does_not_print() {
    let stage = stage(EITHER).await;
    for (line, name) in [("x-session", NAME), ("x-other", SET_COOKIE)] {
        let request = Request::get("/visit").header(line, "");
        let answer = stage
            .app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap());
        let answer = answer.await.unwrap();
        assert!(answer.headers()[&name].is_sensitive());
        let token = answer.headers()[&name].to_str().unwrap();
        assert!(!format!("{answer:?}").contains(token), "{name}");
    }
}

#[tokio::test]
async fn no_cookie_is_doubted_where_none_is_sent() {
    let visit = |app: &Router, line: &'static str| {
        let request = Request::get("/visit").header("host", "example.com");
        let request = request.header(line, "").body(Body::empty()).unwrap();
        app.clone().oneshot(request)
    };
    // What was said once before is known to tracing when the log comes.
    visit(&stage(EITHER).await.app, "x-other").await.unwrap();
    let (log, guard) = Log::listen();
    let Stage { app, .. } = stage(EITHER).await;
    visit(&app, "x-session").await.unwrap();
    assert_eq!(log.warnings(), [""; 0]);
    visit(&app, "x-other").await.unwrap();
    assert_eq!(log.warnings().len(), 1);
    drop(guard);
}

#[test]
fn a_header_that_means_something_else_cannot_be_built() {
    let refused = |transport| {
        let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate());
        builder.transport(transport).build().unwrap_err()
    };
    for name in [
        "cookie",
        "set-cookie",
        "host",
        "authorization",
        "vary",
        "connection",
    ] {
        let name = HeaderName::from_static(name);
        let expected = ConfigError::HeaderTaken(name.clone());
        assert_eq!(refused(Transport::Header(name.clone())), expected);
        assert_eq!(refused(Transport::Either(name)), expected);
    }
    assert_eq!(
        refused(Transport::Header(http::header::HOST)).to_string(),
        "the header `host` means something else in HTTP: give the session's token one of its own, \
         such as `x-session`"
    );
}
