//! Every option that express-session has too, and those that go with them: what each does to the
//! store and to the cookie, byte for byte.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use sessile::{
    ConfigError, CookieError, CookieOptions, MemoryStore, Priority, Rolling, SameSite, Secret,
    Secure, Session, SessionHandle, SessionLayer, SessionLayerBuilder, merge,
};
use support::visitor::ask;
use support::{Probe, TestClock, Visitor};

const HOUR: Duration = Duration::from_hours(1);
const MILLI: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_hours(24);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

struct Stage {
    store: Probe,
    clock: TestClock,
    app: Router,
}

type Builder = SessionLayerBuilder<'static>;

fn stage(settings: impl FnOnce(Builder) -> Builder) -> Stage {
    let (store, clock) = (Probe::new(), TestClock::new());
    let builder = SessionLayer::builder(store.clone(), Secret::generate()).clock(clock.reader());
    let app = routes().layer(settings(builder).build().unwrap());
    Stage { store, clock, app }
}

fn refused(settings: impl FnOnce(Builder) -> Builder) -> ConfigError {
    let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate());
    settings(builder).build().unwrap_err()
}

fn routes() -> Router {
    Router::new()
        .route("/untouched", get(|| async { "hello" }))
        .route(
            "/read",
            get(async |visits: Session<Visits>| visits.page_views.to_string()),
        )
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                visits.page_views.to_string()
            }),
        )
        .route(
            "/remember",
            get(
                async |session: SessionHandle, mut visits: Session<Visits>| {
                    visits.page_views += 1;
                    session.set_max_age(7 * DAY);
                },
            ),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
}

/// The attributes of the cookie that a first visit sets.
async fn attributes(settings: impl FnOnce(Builder) -> Builder) -> String {
    let answer = Visitor::new(&stage(settings).app).get("/visit").await;
    let cookie = answer.set_cookie();
    let (_, attributes) = cookie.split_once("; ").unwrap();
    attributes.to_owned()
}

#[tokio::test]
async fn name_names_the_cookie() {
    let Stage { app, .. } = stage(|b| b.name("visit.id"));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert!(visitor.cookie("visit.id").is_some());
    assert_eq!(visitor.get("/visit").await.body, "2");
}

#[tokio::test]
async fn each_cookie_option_is_one_attribute() {
    let plain = |options: CookieOptions<'static>| move |b: Builder| b.name("sid").cookie(options);
    let cookie = CookieOptions::new();
    for (options, expected) in [
        (cookie, "HttpOnly; SameSite=Lax; Secure; Path=/"),
        (
            cookie.path("/visit"),
            "HttpOnly; SameSite=Lax; Secure; Path=/visit",
        ),
        (
            cookie.domain("a.example"),
            "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=a.example",
        ),
        (cookie.http_only(false), "SameSite=Lax; Secure; Path=/"),
        (
            cookie.secure(Secure::Never),
            "HttpOnly; SameSite=Lax; Path=/",
        ),
        (
            cookie.same_site(SameSite::Strict),
            "HttpOnly; SameSite=Strict; Secure; Path=/",
        ),
        (
            cookie.same_site(SameSite::None),
            "HttpOnly; SameSite=None; Secure; Path=/",
        ),
        (
            cookie.partitioned(true),
            "HttpOnly; SameSite=Lax; Partitioned; Secure; Path=/",
        ),
        (
            cookie.priority(Priority::High),
            "HttpOnly; SameSite=Lax; Secure; Path=/; Priority=High",
        ),
        (
            cookie.max_age(HOUR),
            "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600",
        ),
    ] {
        assert_eq!(attributes(plain(options)).await, expected);
    }
}

#[tokio::test]
async fn expires_ends_the_cookie_and_the_session_at_one_instant() {
    let ends = TestClock::new().now() + 3 * DAY;
    let Stage { app, clock, .. } = stage(|b| b.cookie(CookieOptions::new().expires(ends)));
    let mut visitor = Visitor::new(&app);
    let cookie = visitor.get("/visit").await.set_cookie();
    assert!(
        cookie.ends_with("; Path=/; Expires=Sun, 04 Jan 2026 12:00:00 GMT"),
        "{cookie}"
    );
    clock.advance((3 * DAY).saturating_sub(MILLI));
    assert_eq!(visitor.get("/read").await.body, "1");
    clock.advance(MILLI);
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn of_max_age_and_expires_the_last_one_counts() {
    let at = TestClock::new().now() + DAY;
    let last = CookieOptions::new().expires(at).max_age(HOUR);
    assert!(
        attributes(move |b| b.cookie(last))
            .await
            .ends_with("; Max-Age=3600")
    );
    let last = CookieOptions::new().max_age(HOUR).expires(at);
    assert!(
        attributes(move |b| b.cookie(last))
            .await
            .ends_with("; Expires=Fri, 02 Jan 2026 12:00:00 GMT")
    );
}

#[tokio::test]
async fn max_age_is_the_idle_timeout_of_the_record_too() {
    let Stage { app, clock, .. } = stage(|b| b.cookie(CookieOptions::new().max_age(HOUR)));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(HOUR);
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn the_server_ends_an_idle_session_whatever_its_cookie_says() {
    let Stage { app, clock, .. } = stage(|b| b.idle_timeout(HOUR));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(HOUR.saturating_sub(MILLI));
    assert_eq!(visitor.get("/read").await.body, "1");
    clock.advance(HOUR);
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn nothing_extends_the_absolute_end() {
    let Stage { app, clock, .. } = stage(|b| b.idle_timeout(HOUR).absolute_timeout(2 * HOUR));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    for views in 2..=4 {
        clock.advance(HOUR / 2);
        assert_eq!(visitor.get("/visit").await.body, views.to_string());
    }
    clock.advance(HOUR / 2);
    assert_eq!(visitor.get("/visit").await.body, "1");
}

#[tokio::test]
async fn remembering_one_visitor_makes_this_cookie_outlive_the_browser() {
    let Stage { app, clock, .. } = stage(|b| b);
    let mut visitor = Visitor::new(&app);
    assert!(
        visitor
            .get("/remember")
            .await
            .set_cookie()
            .ends_with("; Max-Age=604800")
    );
    clock.advance(6 * DAY);
    let answer = visitor.get("/read").await;
    assert_eq!(answer.body, "1");
    assert!(
        answer.set_cookie().ends_with("; Max-Age=604800"),
        "it goes on with the record"
    );
}

#[tokio::test]
async fn a_cleared_session_is_no_longer_remembered() {
    let clear = get(
        async |session: SessionHandle, mut visits: Session<Visits>| {
            session.clear();
            visits.page_views = 1;
        },
    );
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let app = routes().route("/clear", clear).layer(sessions);
    let mut visitor = Visitor::new(&app);
    assert!(
        visitor
            .get("/remember")
            .await
            .set_cookie()
            .contains("Max-Age")
    );
    assert!(!visitor.get("/clear").await.set_cookie().contains("Max-Age"));
}

#[tokio::test]
async fn a_visitor_is_remembered_before_anything_is_stored() {
    let remember = get(
        async |session: SessionHandle, mut visits: Session<Visits>| {
            session.set_max_age(7 * DAY);
            session.save().await.unwrap();
            visits.page_views += 1;
        },
    );
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let app = Router::new().route("/", remember).layer(sessions);
    let cookie = Visitor::new(&app).get("/").await.set_cookie();
    assert!(cookie.contains("; Max-Age=604"), "{cookie}");
}

#[tokio::test]
async fn rolling_on_touch_sends_a_persistent_cookie_whenever_the_expiry_moves() {
    let Stage { app, clock, .. } = stage(|b| b.cookie(CookieOptions::new().max_age(HOUR)));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert_eq!(visitor.get("/read").await.set_cookies(), [""; 0]);
    clock.advance(Duration::from_mins(1));
    assert!(
        visitor
            .get("/read")
            .await
            .set_cookie()
            .ends_with("; Max-Age=3600")
    );
    assert!(
        visitor
            .get("/visit")
            .await
            .set_cookie()
            .ends_with("; Max-Age=3600")
    );
    assert_eq!(visitor.get("/untouched").await.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn rolling_on_change_sends_a_persistent_cookie_only_after_a_change() {
    let options = CookieOptions::new().max_age(HOUR);
    let Stage { app, clock, .. } = stage(|b| b.cookie(options).rolling(Rolling::OnChange));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(Duration::from_mins(1));
    assert_eq!(visitor.get("/read").await.set_cookies(), [""; 0]);
    assert_eq!(visitor.get("/visit").await.set_cookies().len(), 1);
}

#[tokio::test]
async fn rolling_on_every_response_sends_the_cookie_even_with_untouched_ones() {
    let Stage { app, store, .. } = stage(|b| b.rolling(Rolling::EveryResponse));
    let mut visitor = Visitor::new(&app);
    assert_eq!(
        visitor.get("/untouched").await.set_cookies(),
        [""; 0],
        "there is no session yet"
    );
    assert_eq!(visitor.get("/read").await.set_cookies(), [""; 0]);
    visitor.get("/visit").await;
    store.calls();
    assert_eq!(visitor.get("/untouched").await.set_cookies().len(), 1);
    assert_eq!(store.calls(), ["load", "touch"]);
}

#[tokio::test]
async fn resave_stores_what_nobody_changed() {
    let Stage { app, store, .. } = stage(|b| b.resave(true));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    for path in ["/untouched", "/read"] {
        visitor.get(path).await;
        assert_eq!(store.calls(), ["load", "replace"], "{path}");
    }
    visitor.get("/visit").await;
    assert_eq!(store.calls(), ["load", "replace"]);
}

#[tokio::test]
async fn what_is_stored_though_nobody_changed_it_has_no_cookie_sent_again_by_rolling_on_change() {
    let aged = CookieOptions::new().max_age(HOUR);
    for (rolling, sent) in [(Rolling::OnChange, 0), (Rolling::OnTouch, 1)] {
        let Stage { app, store, .. } = stage(|b| b.resave(true).cookie(aged).rolling(rolling));
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.get("/visit").await.set_cookies().len(), 1);
        store.calls();
        for path in ["/untouched", "/read"] {
            let cookies = visitor.get(path).await.set_cookies();
            assert_eq!(cookies.len(), sent, "{rolling:?} {path}");
            assert_eq!(store.calls(), ["load", "replace"], "{rolling:?} {path}");
        }
        assert_eq!(visitor.get("/visit").await.set_cookies().len(), 1);
    }
}

#[tokio::test]
async fn save_uninitialized_stores_a_session_for_every_visitor() {
    let Stage { app, store, .. } = stage(|b| b.save_uninitialized(true));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/untouched").await.set_cookies().len(), 1);
    assert_eq!(store.calls(), ["insert"]);
    visitor.get("/untouched").await;
    assert_eq!(store.calls(), ["load"]);
    assert_eq!(visitor.get("/visit").await.body, "1");
}

#[tokio::test]
async fn a_store_that_is_down_fails_untouched_requests_only_where_they_pay() {
    let Stage { app, store, .. } = stage(|b| b.resave(true));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.fail(&["load"]);
    assert_eq!(
        visitor.get("/untouched").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn the_id_generator_makes_the_ids() {
    let calls = Arc::new(AtomicU8::new(0));
    let counter = Arc::clone(&calls);
    let Stage { app, .. } =
        stage(move |b| b.id_generator(move || [counter.fetch_add(1, Ordering::Relaxed); 24]));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let token = visitor.cookie("__Host-sid").unwrap();
    assert!(
        token.starts_with(&format!("{}.", "A".repeat(32))),
        "{token}"
    );
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_id_generator_that_repeats_itself_overwrites_nobody() {
    let Stage { app, .. } = stage(|b| b.id_generator(|| [7; 24]));
    let mut first = Visitor::new(&app);
    first.get("/visit").await;
    let second = Visitor::new(&app).get("/visit").await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(second.set_cookies(), [""; 0]);
    assert_eq!(first.get("/read").await.body, "1");
}

#[tokio::test]
async fn a_previous_secret_opens_sessions_and_signs_none() {
    let (store, old, new) = (Probe::new(), Secret::generate(), Secret::generate());
    let app = |secret: &Secret, previous: &[Secret]| {
        let builder = SessionLayer::builder(store.clone(), secret.clone());
        routes().layer(
            builder
                .previous_secrets(previous.iter().cloned())
                .build()
                .unwrap(),
        )
    };
    let mut visitor = Visitor::new(&app(&old, &[]));
    visitor.get("/visit").await;
    let old_token = visitor.cookie("__Host-sid").unwrap().to_owned();

    let mut moved = Visitor::new(&app(&new, std::slice::from_ref(&old)));
    moved.plant("__Host-sid", &old_token);
    let answer = moved.get("/read").await;
    assert_eq!(answer.body, "1");
    assert_eq!(
        answer.set_cookies().len(),
        1,
        "signed anew, so that the old secret can retire"
    );
    let new_token = moved.cookie("__Host-sid").unwrap().to_owned();
    let id = |token: &str| token.split_once('.').unwrap().0.to_owned();
    assert_eq!(id(&old_token), id(&new_token));
    assert_ne!(old_token, new_token);
    assert_eq!(moved.get("/read").await.set_cookies(), [""; 0]);

    let mut retired = Visitor::new(&app(&new, &[]));
    retired.plant("__Host-sid", &old_token);
    store.calls();
    assert_eq!(retired.get("/read").await.body, "0");
    assert_eq!(
        store.calls(),
        [""; 0],
        "a retired secret's cookie is not looked up"
    );
    retired.plant("__Host-sid", &new_token);
    assert_eq!(retired.get("/read").await.body, "1");
}

#[tokio::test]
async fn a_changed_byte_of_the_cookie_is_no_session_and_not_looked_up() {
    let Stage { app, store, .. } = stage(|b| b);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let token = visitor.cookie("__Host-sid").unwrap().to_owned();
    store.calls();
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        if forged == token {
            continue;
        }
        let mut attacker = Visitor::new(&app);
        attacker.plant("__Host-sid", &forged);
        assert_eq!(attacker.get("/read").await.body, "0");
    }
    assert_eq!(store.calls(), [""; 0]);
}

#[tokio::test]
async fn header_bytes_of_any_kind_are_no_session() {
    let Stage { app, store, .. } = stage(|b| b);
    for cookie in [
        b"__Host-sid".as_slice(),
        b"__Host-sid=",
        b"__Host-sid=\xff\xfe",
        b";;;=;=\t=;__Host-sid=a.b",
        b"\xf0\x9f\x8d\xaa=1; __Host-sid=..",
    ] {
        let request = Request::get("/read")
            .header("cookie", cookie)
            .body(Body::empty())
            .unwrap();
        let answer = ask(&app, request).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "0"));
    }
    assert_eq!(store.calls(), [""; 0]);
}

#[test]
fn what_a_browser_would_reject_cannot_be_built() {
    let cookie = CookieOptions::new();
    let refused_cookie = |name: &'static str, options: CookieOptions<'static>| {
        let error = refused(|b| b.name(name).cookie(options));
        assert!(matches!(error, ConfigError::Cookie(_)), "{error:?}");
        error.to_string()
    };
    let because = |error: CookieError| error.to_string();
    assert_eq!(
        refused_cookie("__Host-sid", cookie.domain("a.example")),
        because(cookie.domain("a.example").check("__Host-sid").unwrap_err()),
    );
    for (name, options) in [
        ("__Host-sid", cookie.path("/a")),
        ("__Host-sid", cookie.secure(Secure::Never)),
        (
            "sid",
            cookie.same_site(SameSite::None).secure(Secure::Never),
        ),
        ("sid", cookie.partitioned(true).secure(Secure::Never)),
        ("a sid", cookie),
        ("", cookie),
        ("sid", cookie.path("a")),
        ("sid", cookie.domain("a;b")),
        ("sid", cookie.max_age(Duration::ZERO)),
    ] {
        let message = refused_cookie(name, options);
        assert!(
            !message.ends_with('.') && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn timeouts_that_contradict_each_other_cannot_be_built() {
    let month = 30 * DAY;
    assert_eq!(
        refused(|b| b.idle_timeout(31 * DAY)),
        ConfigError::BeyondAbsolute {
            name: "idle_timeout",
            length: 31 * DAY,
            absolute: month
        },
    );
    assert_eq!(
        refused(|b| b.idle_timeout(Duration::ZERO)),
        ConfigError::Zero("idle_timeout")
    );
    assert_eq!(
        refused(|b| b.absolute_timeout(Duration::ZERO)),
        ConfigError::Zero("absolute_timeout")
    );
    let year = CookieOptions::new().max_age(365 * DAY);
    assert!(matches!(
        refused(|b| b.cookie(year)),
        ConfigError::BeyondAbsolute { .. }
    ));
    let past = CookieOptions::new().expires(SystemTime::UNIX_EPOCH);
    assert_eq!(refused(|b| b.cookie(past)), ConfigError::Expired);
}

#[test]
fn a_secret_needs_32_bytes() {
    let error = Secret::try_from(b"keyboard cat".as_slice()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a secret has 12 bytes, it needs at least 32"
    );
}

#[test]
fn nothing_secret_prints() {
    let secret = Secret::try_from([b'k'; 32].as_slice()).unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    let layer = SessionLayer::new(MemoryStore::new(), secret);
    assert!(!format!("{layer:?}").contains("kkk"));
}
