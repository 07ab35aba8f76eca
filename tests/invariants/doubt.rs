//! Exactly once, also where an answer was lost, a write was refused, or several tasks of one request
//! work on its session at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle, SessionStore, merge};
use tokio::task::JoinSet;

use super::schedule::{dropped_after, step};
use super::world::{CookieChange, World, field, key_of, request};
use super::wrapped::{InRandomSteps, InSteps, Unheard, Wrapped};
use crate::support::visitor::ask;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
    /// Too large for a record, now and then.
    #[session(merge = merge::Append)]
    text: String,
}

fn add(visits: &mut Visits) {
    visits.count += 1;
}

fn routes() -> Router {
    Router::new()
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| add(&mut visits)),
        )
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
}

async fn begin(app: &Router) -> String {
    match CookieChange::of(&ask(app, request("/write", None)).await) {
        CookieChange::Set(token) => token,
        other => panic!("a first write sets a cookie: {other:?}"),
    }
}

/// What the visitor finds who came with `token` and was answered `change`.
async fn opened(app: &Router, token: &str, change: &CookieChange) -> String {
    let token = match change {
        CookieChange::Untouched => Some(token),
        CookieChange::Set(token) => Some(token.as_str()),
        CookieChange::Removed => None,
    };
    ask(app, request("/read", token)).await.body
}

/// A `save` whose write arrives and whose answer does not, and a handler that tries again.
pub(crate) async fn a_write_whose_answer_was_lost_is_stored_once(store: impl SessionStore + Clone) {
    async fn unheard(
        mut visits: Session<Visits>,
        Path((renews, afterwards)): Path<(bool, String)>,
        Extension(answers): Extension<Unheard>,
    ) -> Result<(), SessionError> {
        add(&mut visits);
        if renews {
            Session::handle(&visits).renew();
        }
        answers.lose_answers(true);
        let saved = Session::save(&mut visits).await;
        assert!(matches!(saved, Err(SessionError::Store(_))), "{saved:?}");
        answers.lose_answers(false);
        match afterwards.as_str() {
            "save" => Session::save(&mut visits).await,
            "reload" => Session::reload(&mut visits).await,
            "update" => Session::update(&mut visits, |visits| visits.count += 10).await,
            _ => Ok(()),
        }
    }

    let world = World::new(store);
    let answers = Unheard::default();
    let routes = routes()
        .route("/unheard/{renews}/{afterwards}", get(unheard))
        .layer(Extension(answers.clone()));
    let unheard = Wrapped(world.store.clone(), answers);
    let app = routes.layer(world.layer(unheard).build().unwrap());
    for renews in [false, true] {
        for (afterwards, expected) in [
            ("nothing", "2"),
            ("save", "2"),
            ("reload", "2"),
            ("update", "12"),
        ] {
            let token = begin(&app).await;
            let path = format!("/unheard/{renews}/{afterwards}");
            let answer = ask(&app, request(&path, Some(&token))).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            let found = opened(&app, &token, &CookieChange::of(&answer)).await;
            assert_eq!(found, expected, "{path}");
            // A visitor who came without a cookie.
            let answer = ask(&app, request(&path, None)).await;
            let CookieChange::Set(token) = CookieChange::of(&answer) else {
                panic!("{path}: a first write sets a cookie");
            };
            let stored = world.find(&key_of(&token)).await.unwrap();
            let count: u64 = field(&stored.record, "visits", "count");
            assert_eq!((count + 1).to_string(), expected, "{path}");
        }
    }
}

/// A `save` is cut short, and another request writes at once: nobody can tell from what stands there
/// whether the `save` had arrived, so the answer is 503 or it is stored once, never twice.
pub(crate) async fn a_write_in_doubt_is_never_repeated(store: impl SessionStore + Clone) {
    async fn cut_short(
        mut visits: Session<Visits>,
        Path((polls, retries)): Path<(usize, usize)>,
        Extension(another): Extension<Router>,
        Extension(token): Extension<String>,
    ) -> &'static str {
        add(&mut visits);
        let saved = dropped_after(polls, Session::save(&mut visits)).await;
        let answer = ask(&another, request("/hundred", Some(&token))).await;
        assert_eq!(answer.status, StatusCode::OK);
        // A handler that minds no errors.
        for _ in 0..retries {
            let _ = Session::save(&mut visits).await;
        }
        if saved.is_some() { "saved" } else { "cut" }
    }

    let world = World::new(store);
    let hundred = get(async |mut visits: Session<Visits>| visits.count += 100);
    let another = routes().route("/hundred", hundred);
    let another = another.layer(world.layer(world.store.clone()).build().unwrap());
    for retries in 0..3 {
        for polls in 0.. {
            let token = begin(&another).await;
            let slow = Wrapped(world.store.clone(), InSteps);
            let app = Router::new()
                .route("/cut/{polls}/{retries}", get(cut_short))
                .layer(Extension(another.clone()))
                .layer(Extension(token.clone()))
                .layer(world.layer(slow).build().unwrap());
            let path = format!("/cut/{polls}/{retries}");
            let answer = ask(&app, request(&path, Some(&token))).await;
            let found: u64 = ask(&another, request("/read", Some(&token)))
                .await
                .body
                .parse()
                .unwrap();
            match answer.status {
                StatusCode::OK => assert_eq!(found, 102, "{path}"),
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!((101..=102).contains(&found), "{path}: {found}");
                }
                status => panic!("{path}: {status}"),
            }
            if answer.body == "saved" {
                break;
            }
        }
    }
}

/// What an answer said is not stored, no later update by a kept handle stores.
pub(crate) async fn what_was_denied_is_not_stored_later(store: impl SessionStore + Clone) {
    type Kept = Arc<Mutex<Option<SessionHandle>>>;

    async fn too_large(mut visits: Session<Visits>, Extension(kept): Extension<Kept>) {
        visits.count += 100;
        visits.text = "x".repeat(100_000);
        *kept.lock().unwrap() = Some(Session::handle(&visits));
    }
    async fn fail(mut visits: Session<Visits>, Extension(kept): Extension<Kept>) -> StatusCode {
        visits.count += 100;
        *kept.lock().unwrap() = Some(Session::handle(&visits));
        StatusCode::INTERNAL_SERVER_ERROR
    }

    let (world, kept) = (World::new(store), Kept::default());
    let routes = routes()
        .route("/too-large", get(too_large))
        .route("/fail", get(fail))
        .layer(Extension(Arc::clone(&kept)));
    let app = routes.layer(world.layer(world.store.clone()).build().unwrap());
    for path in ["/too-large", "/fail"] {
        let token = begin(&app).await;
        let answer = ask(&app, request(path, Some(&token))).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let session = kept.lock().unwrap().take().unwrap();
        session.update(add).await.unwrap();
        assert_eq!(
            ask(&app, request("/read", Some(&token))).await.body,
            "2",
            "{path}"
        );
    }
}

/// Tasks of one request update its session, read it and rotate it, all at once: each finds it, and
/// the visitor's cookie opens it afterwards.
pub(crate) async fn tasks_of_one_request_do_not_lose_the_session(
    store: impl SessionStore + Clone,
    rounds: usize,
) {
    async fn tasks(
        mut visits: Session<Visits>,
        Extension(tasks): Extension<Tasks>,
    ) -> Result<(), SessionError> {
        let session = Session::handle(&visits);
        for _ in 0..3 {
            let session = session.clone();
            tasks.lock().unwrap().spawn(async move {
                step().await;
                session.update(add).await?;
                session.load::<Visits>().await.map(drop)
            });
        }
        add(&mut visits);
        session.renew();
        let (saved, loaded) = tokio::join!(Session::save(&mut visits), session.load::<Visits>());
        assert!(loaded?.is_some());
        session.renew();
        saved
    }
    type Tasks = Arc<Mutex<JoinSet<Result<(), SessionError>>>>;

    let world = World::new(store);
    let running = Tasks::default();
    let routes = routes()
        .route("/tasks", get(tasks))
        .layer(Extension(Arc::clone(&running)));
    let slow = Wrapped(world.store.clone(), InRandomSteps);
    let app = routes.layer(world.layer(slow).build().unwrap());
    for round in 0..rounds {
        let token = begin(&app).await;
        let answer = ask(&app, request("/tasks", Some(&token))).await;
        assert_eq!(answer.status, StatusCode::OK, "round {round}");
        let tasks = std::mem::take(&mut *running.lock().unwrap());
        for done in tasks.join_all().await {
            done.unwrap();
        }
        let CookieChange::Set(token) = CookieChange::of(&answer) else {
            panic!("round {round}: a rotation sends a cookie");
        };
        let stored = world.find(&key_of(&token)).await.unwrap();
        let count: u64 = field(&stored.record, "visits", "count");
        assert_eq!(count, 5, "round {round}");
    }
}

/// A request asks for nothing but a touch, with its load or by a call of its own, while another one sets
/// how long the session may be idle: the touch must not put the old length back.
pub(crate) async fn a_late_touch_does_not_undo_a_new_idle_timeout(
    store: impl SessionStore + Clone,
) {
    use super::wrapped::{Gate, Side};

    const DAY: Duration = Duration::from_hours(24);

    let (world, gate) = (World::new(store), Gate::default());
    let held = Wrapped(world.store.clone(), gate.clone());
    let touch = get(async |session: SessionHandle| session.touch().await);
    let slow = routes().route("/touch", touch);
    let slow = slow.layer(world.layer(held).build().unwrap());
    let remember = get(async |session: SessionHandle| session.set_max_age(10 * DAY));
    let app = routes().route("/remember", remember);
    let app = app.layer(world.layer(world.store.clone()).build().unwrap());
    for (path, call) in [("/read", 0), ("/touch", 1)] {
        let token = begin(&app).await;
        world.clock.advance(Duration::from_mins(2));
        gate.hold(call, Side::Before);
        let late = {
            let (token, slow) = (token.clone(), slow.clone());
            tokio::spawn(async move { ask(&slow, request(path, Some(&token))).await })
        };
        gate.is_holding().await;
        ask(&app, request("/remember", Some(&token))).await;
        gate.release();
        assert_eq!(late.await.unwrap().status, StatusCode::OK, "{path}");
        world.clock.advance(5 * DAY);
        let stored = world.find(&key_of(&token)).await;
        assert!(
            stored.is_some(),
            "{path}: the session was to live for ten days"
        );
    }
}
