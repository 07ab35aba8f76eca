//! How long sessions live: presets, limits that no handler passes, and what keeping a session alive costs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sessile::{
    ConfigError, CookieOptions, MemoryStore, Secret, Session, SessionHandle, SessionId,
    SessionLayer, SessionStore, Stored, Timeouts, Timestamp, merge,
};
use support::{Builder, Probe, Stage, TestClock, Visitor};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

fn stage(settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::new(routes(), settings)
}

fn routes() -> Router {
    Router::new()
        .route(
            "/read",
            get(async |visits: Session<Visits>| visits.page_views.to_string()),
        )
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| visits.page_views += 1),
        )
        .route("/remember/{secs}", get(remember))
        .route(
            "/forget",
            get(async |session: SessionHandle| session.reset_max_age()),
        )
        .route("/ends", get(ends))
}

async fn remember(session: SessionHandle, Path(secs): Path<u64>, mut visits: Session<Visits>) {
    session.set_max_age(Duration::from_secs(secs));
    visits.page_views += 1;
}

/// When the session ends, as the handler is told.
async fn ends(session: SessionHandle) -> String {
    let at = session.expires_at().map(Timestamp::from);
    at.map_or_else(String::new, |at| at.as_millis().to_string())
}

/// How long a session lives that is read so often, to the minute.
async fn lives(settings: impl FnOnce(Builder) -> Builder, path: &str, every: Duration) -> Duration {
    let Stage { clock, app, .. } = stage(settings);
    let mut visitor = Visitor::new(&app);
    visitor.get(path).await;
    let mut lived = Duration::ZERO;
    while visitor.get("/read").await.body == "1" {
        clock.advance(every);
        lived += every;
    }
    lived
}

#[test]
fn the_presets_are_those_of_nist() {
    let numbers = |timeouts: Timeouts| (timeouts.idle, timeouts.absolute);
    assert_eq!(numbers(Timeouts::NIST_AAL1), (30 * DAY, 30 * DAY));
    assert_eq!(numbers(Timeouts::NIST_AAL2), (HOUR, 24 * HOUR));
    assert_eq!(numbers(Timeouts::NIST_AAL3), (15 * MINUTE, 12 * HOUR));
}

#[tokio::test]
async fn a_preset_ends_idle_sessions_and_old_ones() {
    for preset in [
        Timeouts::NIST_AAL1,
        Timeouts::NIST_AAL2,
        Timeouts::NIST_AAL3,
    ] {
        let used = lives(|b| b.timeouts(preset), "/visit", preset.idle / 5).await;
        assert_eq!(used, preset.absolute);
        let Stage { clock, app, .. } = stage(|b| b.timeouts(preset));
        let mut visitor = Visitor::new(&app);
        visitor.get("/visit").await;
        clock.advance(preset.idle);
        assert_eq!(visitor.get("/read").await.body, "0");
    }
}

#[tokio::test]
async fn of_timeouts_and_those_by_name_the_last_one_counts() {
    let aal2 = Timeouts::NIST_AAL2;
    for (idle, absolute, settings) in [
        (
            2 * HOUR,
            24 * HOUR,
            (|b| b.timeouts(Timeouts::NIST_AAL2).idle_timeout(2 * HOUR)) as fn(Builder) -> Builder,
        ),
        (aal2.idle, 2 * HOUR, |b| {
            b.timeouts(Timeouts::NIST_AAL2).absolute_timeout(2 * HOUR)
        }),
        (aal2.idle, aal2.absolute, |b| {
            let b = b.idle_timeout(MINUTE).absolute_timeout(100 * DAY);
            b.timeouts(Timeouts::NIST_AAL3)
                .timeouts(Timeouts::NIST_AAL2)
        }),
    ] {
        assert_eq!(lives(settings, "/visit", idle).await, idle);
        assert_eq!(lives(settings, "/visit", idle / 6).await, absolute);
    }
}

#[test]
fn a_max_age_beyond_the_absolute_timeout_of_a_preset_cannot_be_built() {
    let built = |max_age| {
        SessionLayer::builder(MemoryStore::new(), Secret::generate())
            .timeouts(Timeouts::NIST_AAL2)
            .cookie(CookieOptions::new().max_age(max_age))
            .build()
    };
    let refused = ConfigError::BeyondAbsolute {
        name: "the cookie's `max_age`",
        length: 25 * HOUR,
        absolute: DAY,
    };
    assert_eq!(built(25 * HOUR).unwrap_err(), refused);
    assert!(built(DAY).is_ok());
    let upside_down = Timeouts {
        idle: 2 * HOUR,
        absolute: HOUR,
    };
    let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate());
    let refused = builder.timeouts(upside_down).build().unwrap_err();
    assert!(matches!(
        refused,
        ConfigError::BeyondAbsolute {
            name: "idle_timeout",
            ..
        }
    ));
}

#[tokio::test]
async fn of_a_max_age_and_a_preset_the_shorter_counts() {
    let day = CookieOptions::new().max_age(DAY);
    let Stage { app, .. } = stage(|b| b.timeouts(Timeouts::NIST_AAL2).cookie(day));
    let cookie = Visitor::new(&app).get("/visit").await.set_cookie();
    assert!(cookie.ends_with("; Max-Age=3600"), "{cookie}");
}

#[tokio::test]
async fn no_handler_passes_the_absolute_timeout() {
    let month = 30 * DAY;
    let Stage { app, clock, .. } = stage(|b| b);
    let mut visitor = Visitor::new(&app);
    let path = format!("/remember/{}", (365 * DAY).as_secs());
    let cookie = visitor.get(&path).await.set_cookie();
    assert!(
        cookie.ends_with(&format!("; Max-Age={}", month.as_secs())),
        "{cookie}"
    );
    let ends = Timestamp::from(clock.now() + month).as_millis().to_string();
    assert_eq!(visitor.get("/ends").await.body, ends);
    clock.advance(20 * DAY);
    let cookie = visitor.get(&path).await.set_cookie();
    let left = format!("; Max-Age={}", (10 * DAY).as_secs());
    assert!(cookie.ends_with(&left), "{cookie}");
    clock.advance(10 * DAY);
    assert_eq!(visitor.get("/read").await.body, "0");
    let endless = format!("/remember/{}", u64::MAX);
    let cookie = visitor.get(&endless).await.set_cookie();
    assert!(
        cookie.ends_with(&format!("; Max-Age={}", month.as_secs())),
        "{cookie}"
    );
}

#[tokio::test]
async fn no_handler_passes_the_idle_timeout_of_a_preset() {
    for (preset, asked, given) in [
        (Timeouts::NIST_AAL2, 7 * DAY, HOUR),
        (Timeouts::NIST_AAL2, HOUR / 2, HOUR / 2),
        (Timeouts::NIST_AAL3, HOUR, 15 * MINUTE),
        (Timeouts::NIST_AAL1, 7 * DAY, 7 * DAY),
        (Timeouts::NIST_AAL1, 31 * DAY, 30 * DAY),
    ] {
        let path = format!("/remember/{}", asked.as_secs());
        assert_eq!(lives(|b| b.timeouts(preset), &path, given).await, given);
        let Stage { app, .. } = stage(|b| b.timeouts(preset));
        let cookie = Visitor::new(&app).get(&path).await.set_cookie();
        assert!(
            cookie.ends_with(&format!("; Max-Age={}", given.as_secs())),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn a_longer_idle_timeout_raises_the_limit_of_a_preset_and_a_shorter_one_does_not_lower_it() {
    let path = format!("/remember/{}", (7 * DAY).as_secs());
    for (idle, limit) in [(2 * HOUR, 2 * HOUR), (MINUTE, HOUR)] {
        let settings = |b: Builder| b.timeouts(Timeouts::NIST_AAL2).idle_timeout(idle);
        assert_eq!(lives(settings, &path, limit).await, limit);
    }
    // Without a preset there is none: to remember a visitor is to go beyond the idle timeout.
    assert_eq!(
        lives(|b| b.idle_timeout(HOUR), &path, 7 * DAY).await,
        7 * DAY
    );
}

#[tokio::test]
async fn a_preset_reaches_sessions_that_were_remembered_for_longer() {
    let (store, clock, secret) = (Probe::new(), TestClock::new(), Secret::generate());
    let app = |settings: fn(Builder) -> Builder| {
        let builder = SessionLayer::builder(store.clone(), secret.clone()).clock(clock.reader());
        routes().layer(settings(builder).build().unwrap())
    };
    let mut before = Visitor::new(&app(|b| b));
    before
        .get(&format!("/remember/{}", (7 * DAY).as_secs()))
        .await;
    let mut after = Visitor::new(&app(|b| b.timeouts(Timeouts::NIST_AAL2)));
    after.plant("__Host-sid", before.cookie("__Host-sid").unwrap());
    let cookie = after.get("/read").await.set_cookie();
    assert!(cookie.ends_with("; Max-Age=3600"), "{cookie}");
    clock.advance(HOUR);
    assert_eq!(after.get("/read").await.body, "0");
}

/// The only session that there is, as it is stored.
async fn stored(stage: &Stage) -> Stored {
    let key = SessionId::from_bytes([7; 24]).key();
    let found = stage.store.memory().load(key, stage.clock.now().into());
    found.await.unwrap().unwrap()
}

#[tokio::test]
async fn touching_is_throttled_and_never_rewrites_the_record() {
    for (idle, seconds) in [
        (DAY, 60),
        (HOUR, 60),
        (10 * MINUTE, 60),
        (5 * MINUTE, 30),
        (MINUTE, 6),
    ] {
        let stage = stage(|b| b.idle_timeout(idle).id_generator(|| [7; 24]));
        let mut visitor = Visitor::new(&stage.app);
        visitor.get("/visit").await;
        stage.store.calls();
        let first = stored(&stage).await.record.to_json();
        for second in 1..=1_000_u64 {
            stage.clock.advance(Duration::from_secs(1));
            assert_eq!(visitor.get("/read").await.body, "1");
            let is_due = second % seconds == 0;
            let expected: &[&str] = if is_due {
                &["load", "touch"]
            } else {
                &["load"]
            };
            assert_eq!(stage.store.calls(), expected, "{idle:?}: second {second}");
            if is_due {
                let Stored { record, expires } = stored(&stage).await;
                assert_eq!(record.to_json(), first, "{idle:?}: second {second}");
                assert_eq!(expires, Timestamp::from(stage.clock.now() + idle));
            }
        }
    }
}

/// The end that a cookie says, in milliseconds.
fn end_of(cookie: &str, now: SystemTime) -> u64 {
    let (_, lifetime) = cookie.rsplit_once("; ").unwrap();
    let at = match lifetime.split_once('=').unwrap() {
        ("Max-Age", secs) => now + Duration::from_secs(secs.parse().unwrap()),
        ("Expires", date) => httpdate::parse_http_date(date).unwrap(),
        _ => panic!("the cookie outlives the browser: {cookie}"),
    };
    Timestamp::from(at).as_millis()
}

#[tokio::test]
async fn a_persistent_cookie_and_its_record_end_together() {
    let hour = CookieOptions::new().max_age(HOUR);
    let ends = CookieOptions::new().expires(TestClock::new().now() + 3 * HOUR);
    let settings: [(&str, &dyn Fn(Builder) -> Builder); 6] = [
        ("/visit", &|b| b.cookie(hour)),
        ("/visit", &|b| b.cookie(hour).timeouts(Timeouts::NIST_AAL3)),
        ("/visit", &|b| b.cookie(ends)),
        ("/visit", &|b| b.cookie(ends).idle_timeout(HOUR)),
        ("/visit", &|b| {
            b.cookie_for(|_| CookieOptions::new().max_age(HOUR))
        }),
        ("/remember/5000", &|b| b.absolute_timeout(2 * DAY)),
    ];
    for (case, (path, settings)) in settings.into_iter().enumerate() {
        let stage = stage(|b| settings(b.id_generator(|| [7; 24])));
        let mut visitor = Visitor::new(&stage.app);
        let first = visitor.get(path).await.set_cookie();
        let mut cookie_ends = end_of(&first, stage.clock.now());
        let mut sent = 0;
        for step in 0..200 {
            let record_ends = stored(&stage).await.expires.as_millis();
            assert_eq!(cookie_ends, record_ends, "case {case}, step {step}");
            stage
                .clock
                .advance(Duration::from_secs(fastrand::u64(0..50)));
            let path = if fastrand::bool() { "/visit" } else { "/read" };
            let answer = visitor.get(path).await;
            if let [cookie] = answer.set_cookies().as_slice() {
                cookie_ends = end_of(cookie, stage.clock.now());
                sent += 1;
            }
        }
        assert!(sent > 50, "case {case}: {sent}");
        // To the very end, and there both are gone.
        let now = Timestamp::from(stage.clock.now());
        let left = Timestamp::from_millis(cookie_ends).since(now);
        stage.clock.advance(left);
        assert_eq!(visitor.get("/read").await.body, "0", "case {case}");
    }
}

#[tokio::test]
async fn what_was_remembered_can_be_forgotten_and_the_browser_is_told() {
    let Stage { clock, app, .. } = stage(|builder| builder);
    let mut visitor = Visitor::new(&app);
    let path = format!("/remember/{}", (7 * DAY).as_secs());
    let remembered = visitor.get(&path).await.set_cookie();
    assert!(remembered.contains("; Max-Age=604800"), "{remembered}");
    let forgotten = visitor.get("/forget").await.set_cookie();
    assert!(!forgotten.contains("Max-Age"), "{forgotten}");
    assert_eq!(visitor.get("/forget").await.set_cookies(), [""; 0]);
    clock.advance(DAY);
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn a_cookie_does_not_end_sooner_than_its_record_by_part_of_a_second() {
    let clock = TestClock::new();
    let ticking = move || {
        clock.advance(Duration::from_millis(1));
        clock.now()
    };
    let Stage { app, .. } = stage(|builder| builder.clock(ticking));
    let path = format!("/remember/{}", (7 * DAY).as_secs());
    let cookie = Visitor::new(&app).get(&path).await.set_cookie();
    assert!(cookie.contains("; Max-Age=604800"), "{cookie}");
}
