//! Atomic under panic: a handler that panics at any stage.

use std::panic::AssertUnwindSafe;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use sessile::{Session, SessionError, SessionStore};

use super::pair::{Pair, add, begin, routes, values};
use super::schedule::{caught, panic_quietly};
use super::world::{World, request};
use crate::support::visitor::ask;

/// Where a handler panics.
const STAGES: [&str; 8] = [
    "at once",
    "changed",
    "inserted",
    "renewed",
    "cleared",
    "destroyed",
    "saved",
    "updating",
];

async fn panics(mut pair: Session<Pair>, Path(stage): Path<String>) -> Result<(), SessionError> {
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

/// What a live session was changed to goes with the panic, even where somebody answers 200 for it.
pub(crate) async fn a_panic_that_is_made_up_for_changes_nothing(store: impl SessionStore + Clone) {
    async fn make_up(request: Request, next: Next) -> Response {
        let answer = caught(AssertUnwindSafe(next.run(request))).await;
        answer.unwrap_or_else(|| "never mind".into_response())
    }

    let world = World::new(store);
    let made_up = get(panics).layer(from_fn(make_up));
    let routes = routes().route("/made-up/{stage}", made_up);
    let app = routes.layer(world.layer(world.store.clone()).build().unwrap());
    let (since, token) = begin(&world, &app).await;
    let answer = ask(&app, request("/made-up/changed", Some(&token))).await;
    assert_eq!(answer.body, "never mind");
    assert_eq!(values(&world, since).await, [1]);
}

/// A handler that panics at any stage changes nothing, whether or not somebody catches it.
pub(crate) async fn a_panic_leaves_the_session_as_it_was(store: impl SessionStore + Clone) {
    let world = World::new(store);
    let routes = routes()
        .route("/panics/{stage}", get(panics))
        .route("/caught/{stage}", get(panics).layer(from_fn(catch)));
    let layer = world.layer(world.store.clone()).build().unwrap();
    let app = routes.layer(layer.clone());
    for stage in STAGES {
        for route in ["panics", "caught"] {
            let (since, token) = begin(&world, &app).await;
            let path = format!("/{route}/{}", stage.replace(' ', "%20"));
            let answer = caught(ask(&app, request(&path, Some(&token)))).await;
            layer.drained().await;
            let found = values(&world, since).await;
            match (route, stage) {
                // What was saved stays, and a logout takes place whatever is answered.
                (_, "saved") => assert_eq!(found, [2], "{path}"),
                (_, "destroyed") => assert_eq!(found, [0; 0], "{path}"),
                _ => assert_eq!(found, [1], "{path}"),
            }
            assert_eq!(answer.is_some(), route == "caught", "{path}");
            let next = ask(&app, request("/write", Some(&token))).await;
            assert_eq!(next.status, StatusCode::OK, "{path}");
        }
    }
}
