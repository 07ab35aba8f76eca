//! Atomic under cancel and panic: a request that is dropped at any poll, a handler that panics, or a
//! `save` that is cut short leaves the old state or the new one, never a mixture, and holds nothing.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle, SessionStore, merge};

use super::schedule::{caught, dropped_after, panic_quietly, step};
use super::world::{CookieChange, World, field, key_of, request};
use super::wrapped::{Manner, Wrapped};
use crate::support::visitor::ask;

/// Both sides always change together.
#[derive(Session, Default)]
struct Pair {
    #[session(merge = merge::Sum)]
    left: u64,
    #[session(merge = merge::Sum)]
    right: u64,
}

fn add(pair: &mut Pair) {
    pair.left += 1;
    pair.right += 1;
}

async fn write(mut pair: Session<Pair>) {
    add(&mut pair);
}

async fn save_and_write(mut pair: Session<Pair>) -> Result<(), SessionError> {
    add(&mut pair);
    Session::save(&mut pair).await?;
    add(&mut pair);
    Ok(())
}

async fn update(mut pair: Session<Pair>) -> Result<(), SessionError> {
    Session::update(&mut pair, add).await
}

fn routes() -> Router {
    Router::new()
        .route("/write", get(write))
        .route("/save-and-write", get(save_and_write))
        .route("/update", get(update))
        .route("/read", get(async |pair: Pair| pair.left.to_string()))
        .route("/renew", get(async |session: SessionHandle| session.renew()))
        .route("/clear", get(async |session: SessionHandle| session.clear()))
        .route("/destroy", get(async |session: SessionHandle| session.destroy()))
}

/// What the sessions hold whose ids were drawn since; it is never a mixture.
async fn values<S: SessionStore + Clone>(world: &World<S>, since: usize) -> Vec<u64> {
    let mut values = Vec::new();
    for (_, stored) in world.stored_since(since).await {
        let side = |key| field::<u64>(&stored.record, "pair", key);
        assert_eq!(side("left"), side("right"), "half of a change is stored");
        values.push(side("left"));
    }
    values
}

/// A visitor's new session, which holds 1: how many ids were drawn before, and its token.
async fn begin<S: SessionStore + Clone>(world: &World<S>, app: &Router) -> (usize, String) {
    let since = world.drawn();
    let answer = ask(app, request("/write", None)).await;
    let CookieChange::Set(token) = CookieChange::of(&answer) else {
        panic!("a first write sets a cookie");
    };
    (since, token)
}

/// Lets calls arrive whose caller has gone.
async fn settle() {
    for _ in 0..50 {
        step().await;
        tokio::task::yield_now().await;
    }
}

/// Drops a request at its first poll, at its second, and so on until it is done; every state that is
/// found must be one of its stages, and the next request must work.
pub(crate) async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let app = routes().layer(world.layer(slow).build().unwrap());
    let kinds: [(&str, &[&[u64]]); 6] = [
        ("/write", &[&[1], &[2]]),
        ("/save-and-write", &[&[1], &[2], &[3]]),
        ("/update", &[&[1], &[2]]),
        ("/renew", &[&[1]]),
        ("/clear", &[&[1], &[0]]),
        ("/destroy", &[&[1], &[]]),
    ];
    for (path, stages) in kinds {
        for polls in 0.. {
            let (since, token) = begin(&world, &app).await;
            let done = dropped_after(polls, ask(&app, request(path, Some(&token)))).await;
            settle().await;
            let found = values(&world, since).await;
            assert!(stages.contains(&&found[..]), "{path}, {polls} polls: {found:?}");
            if done.is_some() {
                assert_eq!(found, *stages[stages.len() - 1], "{path}");
            }
            let still_there = world.find(&key_of(&token)).await.is_some();
            let expected = if still_there { found[0] } else { 0 };
            let next = ask(&app, request("/read", Some(&token))).await;
            assert_eq!(next.body, expected.to_string(), "{path}, {polls} polls");
            let next = ask(&app, request("/write", Some(&token))).await;
            assert_eq!(next.status, StatusCode::OK, "{path}, {polls} polls");
            if done.is_some() {
                break;
            }
        }
    }
}

/// As above, for a visitor who came without a cookie.
pub(crate) async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let app = routes().layer(world.layer(slow).build().unwrap());
    for (path, most) in [("/write", 1), ("/save-and-write", 2), ("/update", 1)] {
        for polls in 0.. {
            let since = world.drawn();
            let done = dropped_after(polls, ask(&app, request(path, None))).await;
            settle().await;
            let found = values(&world, since).await;
            assert!(found.len() <= 1, "{path}, {polls} polls: {found:?}");
            assert!(found.iter().all(|value| (1..=most).contains(value)));
            if done.is_some() {
                assert_eq!(found, [most], "{path}");
                break;
            }
        }
    }
}

/// What a handler does after its `save` was cut short.
const AFTERWARDS: [&str; 11] = [
    "nothing", "save", "write", "update", "renew", "clear", "reload", "insert", "read", "destroy", "fail",
];

/// Changes the session, begins to save it, and goes on though the `save` did not end.
async fn cut_short(
    mut pair: Session<Pair>,
    Path((renews, polls, afterwards)): Path<(bool, usize, String)>,
) -> Result<Response, SessionError> {
    let session = Session::handle(&pair);
    add(&mut pair);
    if renews {
        session.renew();
    }
    let saved = dropped_after(polls, Session::save(&mut pair)).await;
    let saved = saved.transpose()?.is_some();
    match afterwards.as_str() {
        "nothing" => {}
        "save" => Session::save(&mut pair).await?,
        "write" => add(&mut pair),
        "update" => Session::update(&mut pair, add).await?,
        "renew" => session.renew(),
        // A live view is handed over when it is dropped; what follows comes after it.
        "clear" => {
            drop(pair);
            session.clear();
        }
        "insert" => {
            drop(pair);
            session.insert(Pair { left: 7, right: 7 })?;
        }
        "reload" => {
            drop(pair);
            session.reload().await?;
        }
        "read" => {
            let left = pair.left;
            drop(pair);
            assert_eq!(session.load::<Pair>().await?.unwrap().left, left);
        }
        "destroy" => session.destroy(),
        "fail" => return Ok((StatusCode::INTERNAL_SERVER_ERROR, saved.to_string()).into_response()),
        _ => unreachable!("nothing else is done"),
    }
    Ok(saved.to_string().into_response())
}

/// What may be stored after each; 1 is what was there before, `save` had added 1 to it.
fn allowed(afterwards: &str) -> &'static [&'static [u64]] {
    match afterwards {
        "nothing" | "save" | "renew" | "read" => &[&[2]],
        "write" | "update" => &[&[3]],
        "clear" => &[&[0]],
        "insert" => &[&[7]],
        "destroy" => &[&[]],
        "reload" | "fail" => &[&[1], &[2]],
        _ => unreachable!("nothing else is done"),
    }
}

/// A `save` that is cut short at any poll, and a handler that goes on: what it answers 200 for is
/// stored exactly once, and the visitor's cookie opens the session, wherever it is by then.
pub(crate) async fn a_save_cut_short_loses_nothing_and_doubles_nothing(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let routes = routes().route("/cut/{renews}/{polls}/{afterwards}", get(cut_short));
    let app = routes.layer(world.layer(slow).build().unwrap());
    for afterwards in AFTERWARDS {
        for renews in [false, true] {
            for polls in 0.. {
                let (since, token) = begin(&world, &app).await;
                let path = format!("/cut/{renews}/{polls}/{afterwards}");
                let answer = ask(&app, request(&path, Some(&token))).await;
                settle().await;
                let found = values(&world, since).await;
                let expected = if afterwards == "fail" {
                    StatusCode::INTERNAL_SERVER_ERROR
                } else {
                    StatusCode::OK
                };
                assert_eq!(answer.status, expected, "{path}: {found:?}");
                assert!(allowed(afterwards).contains(&&found[..]), "{path}: {found:?}");
                let opens = match CookieChange::of(&answer) {
                    CookieChange::Untouched => Some(token.clone()),
                    CookieChange::Set(token) => Some(token),
                    CookieChange::Removed => None,
                };
                let read = ask(&app, request("/read", opens.as_deref())).await;
                let value = found.first().copied().unwrap_or_default();
                assert_eq!(read.body, value.to_string(), "{path}: the cookie opens it");
                if matches!(afterwards, "renew" | "clear" | "destroy") {
                    assert_eq!(world.find(&key_of(&token)).await, None, "{path}");
                }
                if answer.body == "true" {
                    break;
                }
            }
        }
    }
}

/// Whether and where a handler panics.
const STAGES: [&str; 8] = [
    "at once", "changed", "inserted", "renewed", "cleared", "destroyed", "saved", "updating",
];

async fn panics(
    mut pair: Session<Pair>,
    Path(stage): Path<String>,
) -> Result<(), SessionError> {
    let session = Session::handle(&pair);
    match stage.as_str() {
        "at once" => {}
        "changed" => add(&mut pair),
        "inserted" => session.insert(Pair { left: 7, right: 7 })?,
        "renewed" => session.renew(),
        "cleared" => session.clear(),
        "destroyed" => session.destroy(),
        "saved" => {
            add(&mut pair);
            Session::save(&mut pair).await?;
            add(&mut pair);
        }
        "updating" => Session::update(&mut pair, |_| panic_quietly()).await?,
        _ => unreachable!("no such stage"),
    }
    panic_quietly()
}

/// Answers 500 in the place of a handler that panics.
async fn catch(mut pair: Session<Pair>, request: Request, next: Next) -> Response {
    add(&mut pair);
    let answer = caught(AssertUnwindSafe(next.run(request))).await;
    answer.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A handler that panics at any stage changes nothing, whether or not somebody catches it.
pub(crate) async fn a_panic_leaves_the_session_as_it_was(store: impl SessionStore + Clone) {
    let world = World::new(store);
    let routes = routes()
        .route("/panics/{stage}", get(panics))
        .route("/caught/{stage}", get(panics).layer(from_fn(catch)));
    let app = routes.layer(world.layer(world.store.clone()).build().unwrap());
    for stage in STAGES {
        for route in ["panics", "caught"] {
            let (since, token) = begin(&world, &app).await;
            let path = format!("/{route}/{}", stage.replace(' ', "%20"));
            let answer = caught(ask(&app, request(&path, Some(&token)))).await;
            let found = values(&world, since).await;
            match (route, stage) {
                // What was saved stays, and a logout takes place whatever is answered.
                (_, "saved") => assert_eq!(found, [2], "{path}"),
                ("caught", "destroyed") => assert_eq!(found, [0; 0], "{path}"),
                _ => assert_eq!(found, [1], "{path}"),
            }
            assert_eq!(answer.is_some(), route == "caught", "{path}");
            let next = ask(&app, request("/write", Some(&token))).await;
            assert_eq!(next.status, StatusCode::OK, "{path}");
        }
    }
}
