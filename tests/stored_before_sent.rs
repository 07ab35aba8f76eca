//! No byte of a head leaves before the store has acknowledged what the request did, and what could
//! not be stored is not spoken of: seen by a client of bare TCP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::stream;
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use sessile::{Secret, Session, SessionHandle, SessionLayer};
use support::{Probe, Visitor};
use tokio::task::JoinSet;

#[derive(Session)]
struct Visits {
    page_views: u64,
}

/// What a request asks for, and the status of its answer.
const SHAPES: [(&str, u16); 6] = [
    ("GET /plain", 200),
    ("GET /redirect", 303),
    ("GET /empty", 204),
    ("GET /chunked", 200),
    ("GET /events", 200),
    ("HEAD /plain", 200),
];

/// What it does to the session, and what its commit asks of the store.
const DEEDS: [(&str, &[&str]); 5] = [
    ("begin", &["insert"]),
    ("change", &["load", "replace"]),
    ("renew", &["load", "rotate"]),
    ("touch", &["load", "touch"]),
    ("destroy", &["load", "remove"]),
];

const WRITES: [&str; 5] = ["insert", "replace", "rotate", "touch", "remove"];
const WORDS: &str = "the handler's words";

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_leaves_before_the_store_has_acknowledged() {
    for _ in 0..support::size(2, 170) {
        let requests = each_shape_and_deed(|stage, shape, deed| async move {
            stage.store.delay(Duration::from_millis(500));
            let reply = stage.ask(shape, deed).await;
            (stage, reply)
        });
        for ((shape, status), (deed, calls), (stage, reply)) in requests.await {
            assert_eq!(stage.store.calls(), calls, "{shape} {deed}");
            assert!(stage.had_stored_before(&reply), "{shape} {deed}");
            assert_eq!(reply.status(), status, "{shape} {deed}");
            assert_eq!(reply.header("x-handler").count(), 1, "{shape} {deed}");
            let has_words = shape.starts_with("GET") && status == 200;
            assert_eq!(reply.body().contains(WORDS), has_words, "{shape} {deed}");
            let is_chunked = reply.header("transfer-encoding").any(|c| c == "chunked");
            let streams = matches!(shape, "GET /chunked" | "GET /events");
            assert_eq!(is_chunked, streams, "{shape} {deed}");
            let gives_cookie = matches!(deed, "begin" | "renew" | "destroy");
            let cookies = 1 + usize::from(gives_cookie);
            assert_eq!(
                reply.header("set-cookie").count(),
                cookies,
                "{shape} {deed}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_what_could_not_be_stored() {
    for _ in 0..support::size(2, 170) {
        let requests = each_shape_and_deed(|stage, shape, deed| async move {
            stage.store.fail(&WRITES);
            let reply = stage.ask(shape, deed).await;
            (stage, reply)
        });
        for ((shape, _), (deed, calls), (stage, reply)) in requests.await {
            assert_eq!(stage.store.calls(), calls, "{shape} {deed}");
            assert_eq!(reply.status(), 503, "{shape} {deed}");
            let names = ["x-handler", "set-cookie", "location", "transfer-encoding"];
            for name in names {
                assert_eq!(reply.header(name).next(), None, "{shape} {deed}");
            }
            let said = match shape {
                "HEAD /plain" => "",
                _ => "the session store is unavailable",
            };
            assert_eq!(reply.body(), said, "{shape} {deed}");
            stage.store.fail(&[]);
            let before = if deed == "begin" { "0" } else { "1" };
            assert_eq!(
                stage.visitor.peek("/read").await.body,
                before,
                "{shape} {deed}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_sent_too_early_is_noticed() {
    let hasty = from_fn(|request: Request, next: Next| async {
        tokio::spawn(next.run(request));
        WORDS
    });
    let stage = Stage::new("begin", |app| app.layer(hasty)).await;
    stage.store.delay(Duration::from_hours(1));
    let reply = stage.ask("GET /plain", "begin").await;
    assert_eq!(reply.body(), WORDS);
    assert!(!stage.had_stored_before(&reply));
}

type Asked<T> = (
    (&'static str, u16),
    (&'static str, &'static [&'static str]),
    T,
);

/// Asks for every shape with every deed, all at once and each of an application of its own.
async fn each_shape_and_deed<F>(
    ask: fn(Stage, &'static str, &'static str) -> F,
) -> Vec<Asked<F::Output>>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut requests = JoinSet::new();
    for shape in SHAPES {
        for deed in DEEDS {
            requests.spawn(async move {
                let stage = Stage::new(deed.0, |app| app).await;
                (shape, deed, ask(stage, shape.0, deed.0).await)
            });
        }
    }
    requests.join_all().await
}

/// An application with a store of its own, and a visitor who has a session unless he begins one.
struct Stage {
    store: Probe,
    address: SocketAddr,
    visitor: Visitor,
}

impl Stage {
    async fn new(deed: &str, around: impl FnOnce(Router) -> Router) -> Self {
        let store = Probe::new();
        let sessions = SessionLayer::builder(store.clone(), Secret::generate())
            .store_timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let app = routes().layer(sessions);
        let mut visitor = Visitor::new(&app);
        if deed != "begin" {
            visitor.get("/plain?change").await;
        }
        store.calls();
        let address = wire::serve(around(app)).await;
        Self {
            store,
            address,
            visitor,
        }
    }

    async fn ask(&self, shape: &str, deed: &str) -> wire::Reply {
        let cookies = self.visitor.cookies().unwrap_or_default();
        let line = format!("{shape}?{deed}");
        wire::ask(self.address, &line, &[&format!("cookie: {cookies}")], "").await
    }

    fn had_stored_before(&self, reply: &wire::Reply) -> bool {
        let acknowledged = self.store.acknowledged();
        acknowledged.is_some_and(|at| at <= reply.first_byte)
    }
}

fn routes() -> Router {
    let words = || ["before ", WORDS].map(Ok::<_, Infallible>);
    let event = || Ok::<_, Infallible>(Event::default().data(WORDS));
    Router::new()
        .route("/plain", get(|| async { WORDS }))
        .route("/redirect", get(|| async { Redirect::to("/elsewhere") }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/chunked",
            get(async move || Body::from_stream(stream::iter(words())).into_response()),
        )
        .route(
            "/events",
            get(async move || Sse::new(stream::iter([event()]))),
        )
        .layer(from_fn(do_the_deed))
        .route(
            "/read",
            get(async |visits: Session<Visits>| visits.page_views.to_string()),
        )
}

/// Does what the query says, and marks the response as the handler's.
async fn do_the_deed(
    session: SessionHandle,
    mut visits: Session<Visits>,
    request: Request,
    next: Next,
) -> Response {
    match request.uri().query() {
        Some("begin" | "change") => visits.page_views += 1,
        Some("renew") => session.renew(),
        Some("touch") => session.touch().await.unwrap(),
        Some("destroy") => session.destroy(),
        other => panic!("no such deed: {other:?}"),
    }
    drop(visits);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("x-handler", HeaderValue::from_static("was here"));
    headers.append(SET_COOKIE, HeaderValue::from_static("handler=1"));
    response
}
