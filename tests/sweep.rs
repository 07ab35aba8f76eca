//! The background task: it sweeps the store, survives errors, and ends with the layer.

mod support;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use sessile::{Secret, SessionLayer};
use support::{Probe, Visitor};
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_mins(1);

fn stage() -> (Probe, Router) {
    let store = Probe::new();
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    (
        store,
        Router::new().route("/", get(|| async {})).layer(sessions),
    )
}

#[tokio::test(start_paused = true)]
async fn the_store_is_swept_once_a_minute_after_the_first_request() {
    let (store, app) = stage();
    sleep(3 * MINUTE).await;
    assert_eq!(
        store.calls(),
        [""; 0],
        "nothing runs before there is a request"
    );
    Visitor::new(&app).get("/").await;
    Visitor::new(&app).get("/").await;
    sleep(2 * MINUTE + MINUTE / 2).await;
    assert_eq!(store.calls(), ["remove_expired"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_fails_is_tried_again() {
    let (store, app) = stage();
    store.fail(&["remove_expired"]);
    Visitor::new(&app).get("/").await;
    sleep(2 * MINUTE + MINUTE / 2).await;
    assert_eq!(store.calls(), ["remove_expired"; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_sweep_ends_with_the_last_clone_of_the_layer() {
    let (store, app) = stage();
    let clone = app.clone();
    Visitor::new(&app).get("/").await;
    drop(app);
    sleep(MINUTE + MINUTE / 2).await;
    assert_eq!(store.calls(), ["remove_expired"]);
    drop(clone);
    sleep(5 * MINUTE).await;
    assert_eq!(store.calls(), [""; 0]);
}
