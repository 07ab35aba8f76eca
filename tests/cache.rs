//! A shared cache between two visitors and the application: whatever the handlers say of caching,
//! nobody gets another's page or another's cookie.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/shared_cache.rs"]
mod shared_cache;
mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use axum::routing::get;
use fastrand::Rng;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sessile::Transport::{Cookie, Either, Header};
use sessile::{
    CookieOptions, MemoryStore, Rolling, Secret, Session, SessionHandle, SessionLayer, Transport,
    merge,
};
use shared_cache::SharedCache;
use support::{Answer, TestClock, visitor};

const NAMES: [&str; 2] = ["alice", "bob"];
const STEPS: usize = 40;

/// Who asks, as the origin knows and the cache does not; and for whom an answer was made.
const VISITOR: HeaderName = HeaderName::from_static("x-visitor");

/// Where a token travels that is in no cookie.
const TOKEN: HeaderName = HeaderName::from_static("x-session");

/// What a handler may say of caching; the clock begins at noon on 2026-01-01.
const POLICIES: [&[(&str, &str)]; 8] = [
    &[],
    &[("cache-control", "public, max-age=60")],
    &[("cache-control", "s-maxage=60, must-revalidate")],
    &[
        ("cache-control", "max-age=3600"),
        ("vary", "Accept-Language"),
    ],
    &[("cache-control", "private, max-age=60")],
    &[("cache-control", "no-cache")],
    &[("expires", "Thu, 01 Jan 2026 12:30:00 GMT")],
    &[
        ("cache-control", "no-store"),
        ("cdn-cache-control", "max-age=60"),
    ],
];

/// What visitors do, and read more often than anything else.
const DEEDS: [&str; 10] = [
    "public", "public", "page", "page", "page", "change", "login", "logout", "clear", "fail",
];

#[derive(Session)]
struct Guest {
    name: String,
    #[session(merge = merge::Sum)]
    changes: u64,
}

#[tokio::test]
async fn nobody_gets_anothers_page_or_cookie() {
    let (mut reused, mut shared) = (0, 0);
    for seed in 0..support::size(1_000, 10_000) {
        let tally = play(seed, |app| app).await;
        assert!(tally.leaks.is_empty(), "seed {seed}: {:#?}", tally.leaks);
        reused += tally.reused;
        shared += tally.shared;
    }
    let work = format!("{reused} answers were reused, {shared} of them by the other visitor");
    assert!(
        reused > 5_000 && shared > 1_000,
        "the cache hardly works: {work}"
    );
}

#[tokio::test]
async fn without_vary_a_page_leaks() {
    let strip = map_response(|mut response: Response| async {
        response.headers_mut().remove(VARY);
        response
    });
    let leaks = leaks(|app| app.layer(strip.clone())).await;
    assert!(leaks.iter().any(|leak| leak.contains("page")), "{leaks:?}");
}

#[tokio::test]
async fn without_no_store_a_cookie_leaks() {
    let strip = map_response(|mut response: Response| async {
        let headers = response.headers_mut();
        if headers.contains_key(SET_COOKIE) || headers.contains_key(TOKEN) {
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=60"),
            );
        }
        response
    });
    let leaks = leaks(|app| app.layer(strip.clone())).await;
    assert!(
        leaks.iter().any(|leak| leak.contains("cookie")),
        "{leaks:?}"
    );
}

/// A field that speaks to one kind of cache outdoes `Cache-Control` there (RFC 9213).
#[tokio::test]
async fn a_targeted_field_does_not_outlive_a_cookie() {
    let app = routes().layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let targeted = POLICIES.len() - 1;
    let headers = HeaderMap::from_iter([(VISITOR, HeaderValue::from_static("alice"))]);
    let answer = ask(&app, &format!("/page/{targeted}"), &headers).await;
    assert_eq!(answer.header("cdn-cache-control"), Some("max-age=60"));
    let answer = ask(&app, &format!("/change/{targeted}"), &headers).await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(answer.header("cdn-cache-control"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

async fn leaks(around: impl Fn(Router) -> Router) -> Vec<String> {
    let mut leaks = Vec::new();
    for seed in 0..20 {
        leaks.extend(play(seed, &around).await.leaks);
    }
    leaks
}

/// What came of a sequence.
#[derive(Default)]
struct Tally {
    reused: usize,
    shared: usize,
    leaks: Vec<String>,
}

/// Two visitors who ask for random things at random times, with a cache between them and the
/// application.
async fn play(seed: usize, around: impl FnOnce(Router) -> Router) -> Tally {
    let mut random = Rng::with_seed(seed as u64);
    let clock = TestClock::new();
    let transport = random
        .choice([Cookie, Header(TOKEN), Either(TOKEN)])
        .unwrap();
    let sessions = sessions(&mut random, &clock, transport.clone());
    let app = around(routes().layer(sessions)).layer(from_fn(stamp));
    let mut cache = SharedCache::default();
    let policies: Vec<usize> = random.choose_multiple(0..POLICIES.len(), 2);
    let mut visitors = NAMES.map(|name| Visitor::new(name, &transport, &mut random));
    let mut tally = Tally::default();
    for step in 0..STEPS {
        clock.advance(Duration::from_secs(random.u64(0..8)));
        let visitor = random.choice(&mut visitors).unwrap();
        if random.u8(0..10) == 0 {
            visitor.session = None;
        }
        let deed = random.choice(DEEDS).unwrap();
        let policy = random.choice(&policies).unwrap();
        let (path, headers) = (format!("/{deed}/{policy}"), visitor.headers(&mut random));
        let answer = if let Some(answer) = cache.find(&path, &headers, clock.now()) {
            tally.reused += 1;
            answer.clone()
        } else {
            let answer = ask(&app, &path, &headers).await;
            cache.keep(&path, &headers, &answer, clock.now());
            answer
        };
        tally.shared += usize::from(answer.headers[VISITOR] != visitor.name);
        let leak = visitor.finds(&answer);
        tally.leaks.extend(
            leak.map(|leak| format!("step {step}: {} gets {leak} at {path}", visitor.name)),
        );
        visitor.receive(&answer);
    }
    tally
}

async fn ask(app: &Router, path: &str, headers: &HeaderMap) -> Answer {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request.headers_mut().extend(headers.clone());
    visitor::ask(app, request).await
}

/// A visitor with a browser that keeps the session's cookie, or with a program that keeps its token.
struct Visitor {
    name: &'static str,
    theme: Option<&'static str>,
    is_program: bool,
    session: Option<String>,
}

impl Visitor {
    fn new(name: &'static str, transport: &Transport, random: &mut Rng) -> Self {
        Self {
            name,
            theme: random.bool().then_some("theme=dark"),
            is_program: match transport {
                Header(_) => true,
                Either(_) => random.bool(),
                _ => false,
            },
            session: None,
        }
    }

    fn headers(&self, random: &mut Rng) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(VISITOR, HeaderValue::from_static(self.name));
        let language = random.choice(["en", "fr"]).unwrap();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(language));
        let session = self.session.as_deref();
        if self.is_program {
            headers.insert(TOKEN, session.unwrap_or_default().try_into().unwrap());
        }
        let cookie = session.filter(|_| !self.is_program);
        let cookies: Vec<_> = self.theme.into_iter().chain(cookie).collect();
        if !cookies.is_empty() {
            headers.insert(COOKIE, cookies.join("; ").try_into().unwrap());
        }
        headers
    }

    /// What of this answer is another's.
    fn finds(&self, answer: &Answer) -> Option<&'static str> {
        let is_foreign = answer.headers[VISITOR] != self.name;
        let mut others = NAMES.iter().filter(|name| **name != self.name);
        let has = |name| answer.headers.contains_key(name);
        if is_foreign && (has(SET_COOKIE) || has(TOKEN)) {
            Some("a cookie")
        } else if others.any(|other| answer.body.contains(other)) {
            Some("a page")
        } else {
            None
        }
    }

    fn receive(&mut self, answer: &Answer) {
        if let Some(token) = answer.header(TOKEN.as_str()) {
            self.session = (!token.is_empty()).then(|| token.to_owned());
        }
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let is_removal = attributes.contains("Max-Age=0");
            self.session = (!is_removal).then(|| pair.to_owned());
        }
    }
}

/// A layer of settings that differ in when a cookie is sent.
fn sessions(random: &mut Rng, clock: &TestClock, transport: Transport) -> SessionLayer {
    let minute = Duration::from_mins(1);
    let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .clock(clock.reader())
        .transport(transport)
        .idle_timeout(minute);
    let builder = match random.u8(0..6) {
        0 => builder.rolling(Rolling::EveryResponse),
        1 => builder.save_uninitialized(true),
        2 => builder.resave(true),
        3 => builder.cookie(CookieOptions::new().max_age(minute)),
        4 => builder.cookie_for(move |_| CookieOptions::new().max_age(minute)),
        _ => builder,
    };
    builder.build().unwrap()
}

fn routes() -> Router {
    Router::new()
        .route("/public/{policy}", get(|| async { "a page for all" }))
        .route(
            "/page/{policy}",
            get(async |guest: Session<Guest>| greet(&guest)),
        )
        .route("/change/{policy}", get(change))
        .route("/login/{policy}", get(login))
        .route("/logout/{policy}", get(logout))
        .route(
            "/clear/{policy}",
            get(async |session: SessionHandle| session.clear()),
        )
        .route("/fail/{policy}", get(fail))
        .layer(from_fn(say_policy))
}

async fn change(headers: HeaderMap, mut guest: Session<Guest>) -> String {
    guest.name = String::from_utf8_lossy(headers[VISITOR].as_bytes()).into_owned();
    guest.changes += 1;
    greet(&guest)
}

async fn login(headers: HeaderMap, guest: Session<Guest>) -> String {
    Session::handle(&guest).renew();
    change(headers, guest).await
}

async fn logout(guest: Session<Guest>) -> String {
    Session::handle(&guest).destroy();
    greet(&guest)
}

/// Shows what is stored, and fails after a change.
async fn fail(headers: HeaderMap, guest: Session<Guest>) -> (StatusCode, String) {
    let page = greet(&guest);
    change(headers, guest).await;
    (StatusCode::INTERNAL_SERVER_ERROR, page)
}

fn greet(guest: &Guest) -> String {
    format!("{} has changed {} times", guest.name, guest.changes)
}

/// Adds what the path's policy says of caching.
async fn say_policy(request: Request, next: Next) -> Response {
    let policy = request.uri().path().rsplit('/').next().unwrap();
    let policy = POLICIES[policy.parse::<usize>().unwrap()];
    let mut response = next.run(request).await;
    for (name, value) in policy {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .append(name, HeaderValue::from_static(value));
    }
    response
}

/// Notes for whom an answer was made.
async fn stamp(request: Request, next: Next) -> Response {
    let visitor = request.headers()[VISITOR].clone();
    let mut response = next.run(request).await;
    response.headers_mut().insert(VISITOR, visitor);
    response
}
