//! Every row of the table "Commit": what a request asks of the store, and what its response says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use futures_util::FutureExt;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sessile::{
    CookieOptions, MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer,
    SessionLayerBuilder, merge,
};
use support::{Probe, TestClock, Visitor};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
    last_page: String,
}

#[derive(Session)]
struct Notes {
    text: String,
    #[session(default = f64::NAN, skip)]
    _scratch: f64,
    ratio: Ratio,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
struct Ratio(f64);

struct Stage {
    store: Probe,
    clock: TestClock,
    app: Router,
}

fn stage() -> Stage {
    stage_with(|builder| builder)
}

fn stage_with(
    settings: impl FnOnce(SessionLayerBuilder<'static>) -> SessionLayerBuilder<'static>,
) -> Stage {
    stage_at(routes(), settings)
}

fn stage_at(
    routes: Router,
    settings: impl FnOnce(SessionLayerBuilder<'static>) -> SessionLayerBuilder<'static>,
) -> Stage {
    let (store, clock) = (Probe::new(), TestClock::new());
    let builder = SessionLayer::builder(store.clone(), Secret::generate()).clock(clock.reader());
    let sessions = settings(builder).build().unwrap();
    Stage {
        store,
        clock,
        app: routes.layer(sessions),
    }
}

fn routes() -> Router {
    Router::new()
        .route("/untouched", get(|| async { "hello" }))
        .route(
            "/read",
            get(async |visits: Session<Visits>| visits.page_views.to_string()),
        )
        .route(
            "/copy",
            get(async |Visits { page_views, .. }: Visits| page_views.to_string()),
        )
        .route("/visit", get(visit))
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/clear",
            get(async |session: SessionHandle| session.clear()),
        )
        .route(
            "/touch",
            get(async |session: SessionHandle| session.touch().await),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route(
            "/visit-500",
            get(async |visits: Session<Visits>| {
                visit(visits).await;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/visit-408",
            get(async |visits: Session<Visits>| {
                visit(visits).await;
                StatusCode::REQUEST_TIMEOUT
            }),
        )
        .route(
            "/visit-404",
            get(async |visits: Session<Visits>| {
                visit(visits).await;
                StatusCode::NOT_FOUND
            }),
        )
        .route(
            "/renew-500",
            get(async |session: SessionHandle| {
                session.renew();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/destroy-500",
            get(async |session: SessionHandle| {
                session.destroy();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/save-500",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                Session::save(&mut visits).await.unwrap();
                visits.page_views += 100;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/same",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                visits.page_views -= 1;
            }),
        )
        .route(
            "/huge",
            get(async |mut notes: Session<Notes>| notes.text = "x".repeat(100_000)),
        )
        .route(
            "/nan",
            get(async |mut notes: Session<Notes>| notes.ratio = Ratio(f64::NAN)),
        )
        .route(
            "/insert-after-destroy",
            get(async |session: SessionHandle| {
                session.destroy();
                let visits = Visits {
                    page_views: 1,
                    last_page: String::new(),
                };
                let refused = matches!(session.insert(visits), Err(SessionError::Gone));
                refused.to_string()
            }),
        )
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

#[tokio::test]
async fn an_untouched_request_asks_nothing_and_says_nothing() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    let answer = visitor.get("/untouched").await;
    assert_eq!(store.calls(), [""; 0]);
    assert_eq!(answer.header("vary"), None);
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn a_first_change_inserts_and_sets_the_cookie() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    let answer = visitor.get("/visit").await;
    assert_eq!(store.calls(), ["insert"]);
    assert_eq!(answer.body, "1");
    assert_eq!(answer.header("vary"), Some("Cookie"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let cookie = answer.set_cookie();
    let token = visitor.cookie("__Host-sid").unwrap();
    let expected = format!("__Host-sid={token}; HttpOnly; SameSite=Lax; Secure; Path=/");
    assert_eq!(cookie, expected);
}

#[tokio::test]
async fn reading_an_anonymous_session_stores_nothing() {
    let Stage { store, app, .. } = stage();
    let answer = Visitor::new(&app).get("/read").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "0"));
    assert_eq!(store.calls(), [""; 0]);
    assert_eq!(answer.header("vary"), Some("Cookie"));
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn reading_loads_once_and_writes_nothing() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    for path in ["/read", "/copy", "/same"] {
        let answer = visitor.get(path).await;
        assert_eq!(store.calls(), ["load"], "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(answer.header("vary"), Some("Cookie"), "{path}");
    }
}

#[tokio::test]
async fn reading_touches_once_a_minute_has_passed() {
    let Stage { store, clock, app } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(Duration::from_secs(59));
    store.calls();
    visitor.get("/read").await;
    assert_eq!(store.calls(), ["load"]);
    clock.advance(Duration::from_secs(1));
    let answer = visitor.get("/read").await;
    assert_eq!(store.calls(), ["load", "touch"]);
    assert_eq!(
        answer.set_cookies(),
        [""; 0],
        "a browser-session cookie is not sent again"
    );
}

#[tokio::test]
async fn a_touch_that_is_due_comes_with_the_load_where_the_store_can() {
    let Stage { store, clock, app } = stage();
    store.touch_beside_loads();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    for _ in 0..3 {
        // Together twice as long as a session lives that is not touched.
        for _ in 0..16 {
            clock.advance(Duration::from_hours(1));
            let answer = visitor.get("/read").await;
            assert_eq!(store.calls(), ["load_and_touch"]);
            assert_eq!(answer.body, "1");
        }
    }
    visitor.get("/touch").await;
    assert_eq!(store.calls(), ["load_and_touch", "touch"]);
}

/// Half an hour of an upload is no idle time, nor is one of hard work.
#[tokio::test]
async fn a_request_that_took_long_touches_at_its_end() {
    let routes = routes()
        .route(
            "/upload",
            get(async |_: Visits, Extension(clock): Extension<TestClock>| {
                tokio::task::yield_now().await;
                clock.advance(Duration::from_mins(30));
            }),
        )
        .route(
            "/work",
            get(async |_: Visits, Extension(clock): Extension<TestClock>| {
                clock.advance(Duration::from_mins(30));
            }),
        );
    let support::Stage { store, clock, app } = support::Stage::new(routes, |builder| builder);
    let app = app.layer(Extension(clock));
    store.touch_beside_loads();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    for path in ["/upload", "/work"] {
        store.calls();
        visitor.get(path).await;
        assert_eq!(store.calls(), ["load_and_touch", "touch"], "{path}");
    }
}

/// A cookie goes out for what the commit has found alive, and not for what was alive once.
#[tokio::test]
async fn a_touch_that_a_cookie_follows_waits_for_the_commit() {
    let week = CookieOptions::new().max_age(Duration::from_hours(24 * 7));
    let Stage { store, clock, app } = stage_with(|builder| builder.cookie(week));
    store.touch_beside_loads();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(Duration::from_mins(2));
    store.calls();
    let answer = visitor.get("/read").await;
    assert_eq!(store.calls(), ["load", "touch"]);
    assert_eq!(answer.set_cookies().len(), 1);
}

#[tokio::test]
async fn a_change_loads_once_and_replaces_once() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    let answer = visitor.get("/visit").await;
    assert_eq!(store.calls(), ["load", "replace"]);
    assert_eq!(answer.body, "2");
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn renewing_rotates_to_another_id_with_the_same_content() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let old = visitor.clone();
    store.calls();
    let answer = visitor.get("/renew").await;
    assert_eq!(store.calls(), ["load", "rotate"]);
    assert_ne!(visitor.cookies(), old.cookies());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(visitor.get("/read").await.body, "1");
    assert_eq!(old.peek("/read").await.body, "0", "the old id is dead");
}

#[tokio::test]
async fn clearing_empties_the_session_and_rotates() {
    let Stage { app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let old = visitor.clone();
    visitor.get("/clear").await;
    assert_ne!(visitor.cookies(), old.cookies());
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn destroying_removes_the_session_and_its_cookie() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let old = visitor.clone();
    store.calls();
    let answer = visitor.get("/destroy").await;
    assert_eq!(store.calls(), ["load", "remove"]);
    let removal = "__Host-sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; \
                   Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(answer.set_cookie(), removal);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(visitor.cookies(), None);
    assert_eq!(old.peek("/read").await.body, "0");
}

#[tokio::test]
async fn destroying_a_session_that_is_gone_removes_no_cookie() {
    let Stage { app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let old = visitor.clone();
    visitor.get("/destroy").await;
    assert_eq!(old.peek("/destroy").await.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn a_server_error_or_a_timeout_drops_changes() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    for path in ["/visit-500", "/visit-408", "/renew-500"] {
        store.calls();
        let answer = visitor.get(path).await;
        assert_eq!(store.calls(), ["load"], "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    assert_eq!(visitor.get("/read").await.body, "1");
    assert_eq!(
        visitor.get("/visit-404").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        visitor.get("/read").await.body,
        "2",
        "a client error keeps changes"
    );
}

#[tokio::test]
async fn a_server_error_does_not_undo_a_logout() {
    let Stage { app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let old = visitor.clone();
    let answer = visitor.get("/destroy-500").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.set_cookie().contains("Max-Age=0"));
    assert_eq!(old.peek("/read").await.body, "0");
}

#[tokio::test]
async fn what_was_saved_stays_after_a_server_error_and_its_cookie_goes_out() {
    let Stage { app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    let answer = visitor.get("/save-500").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(visitor.get("/read").await.body, "1");
}

/// As one in memory does whose observer panics.
#[tokio::test]
async fn what_a_store_stored_before_it_panicked_is_stored_once() {
    let save = get(async |mut visits: Session<Visits>| {
        visits.page_views += 1;
        let saved = AssertUnwindSafe(Session::save(&mut visits)).catch_unwind();
        assert!(saved.await.is_err());
    });
    let Stage { store, app, .. } = stage_at(routes().route("/save-and-go-on", save), |it| it);
    store.answer_at_once();
    for first in [false, true] {
        let mut visitor = Visitor::new(&app);
        if !first {
            visitor.get("/visit").await;
        }
        let before: u64 = visitor.get("/read").await.body.parse().unwrap();
        store.panic(if first { &["insert"] } else { &["replace"] });
        store.calls();
        let answer = AssertUnwindSafe(visitor.get("/save-and-go-on")).catch_unwind();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        let read = visitor.get("/read").await.body;
        assert_eq!(read, (before + 1).to_string(), "{:?}", store.calls());
        store.panic(&[]);
    }
}

/// That a store is full leaves no doubt.
#[tokio::test]
async fn who_saves_in_vain_in_a_full_store_can_sign_out() {
    let layer = SessionLayer::new(MemoryStore::new().max_sessions(1), Secret::generate());
    let routes = routes().route(
        "/save-and-destroy",
        get(
            async |mut visits: Session<Visits>, session: SessionHandle| {
                visits.page_views += 1;
                let saved = Session::save(&mut visits).await;
                session.destroy();
                format!("{saved:?}")
            },
        ),
    );
    let app = routes.layer(layer);
    Visitor::new(&app).get("/visit").await;
    let answer = Visitor::new(&app).get("/save-and-destroy").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "Err(Store(Full))")
    );
    assert_eq!(answer.set_cookies(), [""; 0]);
}

/// As Redis does at its `maxmemory`.
#[tokio::test]
async fn a_store_that_refuses_every_write_is_still_read() {
    let save = get(
        async |mut visits: Session<Visits>, session: SessionHandle| {
            visits.page_views += 10;
            session.renew();
            let saved = Session::save(&mut visits).await;
            assert!(matches!(saved, Err(SessionError::Store(_))), "{saved:?}");
            session.reload().await.unwrap();
            Session::reload(&mut visits).await.unwrap();
            visits.page_views.to_string()
        },
    );
    let Stage { store, app, .. } = stage_at(routes().route("/save-in-vain", save), |it| it);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.refuse(&["insert", "replace", "rotate"]);
    store.calls();
    let answer = visitor.get("/save-in-vain").await;
    assert_eq!(answer.body, "1");
    assert_eq!(store.calls(), ["load", "rotate", "load", "load"]);
}

#[tokio::test]
async fn a_panic_stores_nothing() {
    let store = Probe::new();
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    let panics = get(async |mut visits: Session<Visits>| {
        visits.page_views += 1;
        assert_eq!(visits.page_views, 0, "the test wants a panic");
    });
    let app = routes().route("/panic", panics).layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    let cookies = visitor.cookies().unwrap();
    let task = tokio::spawn(async move {
        let mut visitor = Visitor::new(&app);
        visitor.plant("__Host-sid", cookies.trim_start_matches("__Host-sid="));
        visitor.get("/panic").await;
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(store.calls(), ["load"]);
    assert_eq!(visitor.get("/read").await.body, "1");
}

#[tokio::test]
async fn a_store_that_is_down_at_load_is_503_and_never_an_empty_session() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.fail(&["load"]);
    store.calls();
    for path in ["/read", "/visit", "/copy", "/destroy"] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(store.calls(), ["load"], "{path}");
    }
    store.fail(&[]);
    assert_eq!(visitor.get("/read").await.body, "1");
}

#[tokio::test]
async fn a_store_that_is_down_at_commit_is_503_in_place_of_the_response() {
    let Stage { store, app, clock } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(Duration::from_mins(1));
    store.fail(&["insert", "replace", "rotate", "touch", "remove"]);
    for path in ["/visit", "/renew", "/destroy", "/read"] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.body, "the session store is unavailable", "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    let answer = Visitor::new(&app).get("/visit").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.set_cookies(), [""; 0]);
    store.fail(&[]);
    assert_eq!(visitor.get("/read").await.body, "1");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_503_after_the_timeout() {
    let Stage { store, app, .. } = stage_with(|b| b.store_timeout(Duration::from_millis(300)));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.delay(Duration::from_hours(1));
    let began = tokio::time::Instant::now();
    let answer = visitor.get("/read").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(began.elapsed(), Duration::from_millis(300));
}

#[tokio::test]
async fn a_session_that_vanished_takes_no_change_and_passes_a_read() {
    let (store, clock) = (Probe::new(), TestClock::new());
    let sessions = SessionLayer::builder(store, Secret::generate())
        .clock(clock.reader())
        .build()
        .unwrap();
    let (pause, resume) = (tokio::sync::Barrier::new(2), tokio::sync::Barrier::new(2));
    let gates: &'static _ = Box::leak(Box::new((pause, resume)));
    let slowly = |change: bool| {
        get(async move |mut visits: Session<Visits>| {
            gates.0.wait().await;
            gates.1.wait().await;
            if change {
                visits.page_views += 1;
            }
            visits.page_views.to_string()
        })
    };
    let routes = routes()
        .route("/slow-read", slowly(false))
        .route("/slow-visit", slowly(true));
    let app = routes.layer(sessions);
    for (path, status) in [
        ("/slow-read", StatusCode::OK),
        ("/slow-visit", StatusCode::CONFLICT),
    ] {
        let mut visitor = Visitor::new(&app);
        visitor.get("/visit").await;
        // A touch is due, so that the read finds out too.
        clock.advance(Duration::from_mins(1));
        let slow = visitor.clone();
        let slow = tokio::spawn(async move { slow.peek(path).await });
        gates.0.wait().await;
        let old = visitor.clone();
        visitor.get("/destroy").await;
        gates.1.wait().await;
        let answer = slow.await.unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(old.peek("/read").await.body, "0", "{path} revives nothing");
    }
}

#[tokio::test]
async fn nothing_is_put_into_a_destroyed_session() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    store.calls();
    assert_eq!(visitor.get("/insert-after-destroy").await.body, "true");
    assert_eq!(store.calls(), ["load", "remove"]);
}

#[tokio::test]
async fn what_cannot_be_stored_is_500_and_leaves_the_old_record() {
    let Stage { store, app, .. } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    for path in ["/huge", "/nan"] {
        store.calls();
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(answer.body, "the session could not be stored", "{path}");
        assert_eq!(store.calls(), ["load"], "{path}");
    }
    assert_eq!(visitor.get("/read").await.body, "1");
}

#[tokio::test]
async fn a_handler_cannot_cache_what_sets_a_cookie() {
    let store = Probe::new();
    let cached = get(async |mut visits: Session<Visits>| {
        visits.page_views += 1;
        [(
            "cache-control",
            HeaderValue::from_static("public, max-age=3600"),
        )]
    });
    let sessions = SessionLayer::new(store, Secret::generate());
    let app = Router::new().route("/", cached).layer(sessions);
    let mut visitor = Visitor::new(&app);
    assert_eq!(
        visitor.get("/").await.header("cache-control"),
        Some("no-store")
    );
    let second = visitor.get("/").await;
    assert_eq!(second.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(second.header("vary"), Some("Cookie"));
}

#[tokio::test]
async fn without_the_layer_the_answer_names_the_missing_line() {
    let answer = Visitor::new(&routes()).get("/read").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer
            .body
            .contains(".layer(SessionLayer::new(store, secret))"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn touching_by_hand_is_not_throttled() {
    let Stage { store, clock, app } = stage();
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(Duration::from_secs(1));
    store.calls();
    visitor.get("/touch").await;
    assert_eq!(store.calls(), ["load", "touch"]);
}
