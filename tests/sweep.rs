//! The background task: it sweeps the store, says what it did, survives whatever happens to it, and ends
//! with the layer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use sessile::{Secret, SessionId, SessionLayer, SessionStore, Stored, Timestamp};
use support::{Log, Probe, TestClock, Visitor};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_mins(1);

fn stage() -> (Probe, Router) {
    let store = Probe::new();
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    (
        store,
        Router::new().route("/", get(|| async {})).layer(sessions),
    )
}

/// Puts sessions into a store that have just expired.
async fn fill(store: &Probe, sessions: u64) {
    let now = Timestamp::from(TestClock::new().now());
    let json = br#"{"v":1,"rev":1,"created":0,"data":{}}"#;
    let expired = Stored {
        record: sessile::Record::from_json(json).unwrap(),
        expires: now,
    };
    for number in 0..sessions {
        let mut bytes = [0; sessile::ID_BYTES];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let key = SessionId::from_bytes(bytes).key();
        let new = store.memory().insert(key, expired.clone(), now).await;
        assert!(new.unwrap());
    }
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
async fn servers_that_begin_together_do_not_sweep_together() {
    const SERVERS: usize = 40;

    let servers: Vec<_> = (0..SERVERS).map(|_| stage()).collect();
    for (_, app) in &servers {
        Visitor::new(app).get("/").await;
    }
    let swept = || -> usize { servers.iter().map(|(store, _)| store.calls().len()).sum() };
    sleep(Duration::from_secs(53)).await;
    assert_eq!(swept(), 0);
    let mut at_once = Vec::new();
    while at_once.iter().sum::<usize>() < SERVERS {
        assert!(at_once.len() < 14, "all sweep within a tenth of a minute");
        sleep(Duration::from_secs(1)).await;
        at_once.push(swept());
    }
    eprintln!("sweeps in each second: {at_once:?}");
    assert!(
        *at_once.iter().max().unwrap() < SERVERS / 2,
        "{at_once:?}: they are spread out"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sweep_goes_in_batches_leaves_the_store_to_others_in_between_and_says_what_it_did() {
    let (store, app) = stage();
    fill(&store, 2500).await;
    Visitor::new(&app).get("/").await;
    store.delay(Duration::from_millis(200));
    let (log, _guard) = Log::listen();
    sleep(MINUTE / 2).await;
    while store.memory().len() > 1500 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(store.calls(), ["remove_expired"]);
    assert_eq!(log.events(), [""; 0]);
    // As long as the batch took, nothing is asked of the store.
    sleep(Duration::from_millis(195)).await;
    assert_eq!(store.calls(), [""; 0]);
    sleep(MINUTE / 2).await;
    assert_eq!(store.calls(), ["remove_expired"; 2]);
    assert!(store.memory().is_empty());
    // Three batches, and two pauses.
    let said = log.events();
    let [said] = said.as_slice() else {
        panic!("{said:?}")
    };
    let (said, took) = said.split_once(" took_ms=").unwrap();
    let expected = "INFO sessile: expired sessions were freed freed=2500 batches=3";
    assert_eq!(said, expected);
    let took: u64 = took.parse().unwrap();
    assert!((1000..1050).contains(&took), "{took}");
    sleep(3 * MINUTE).await;
    assert_eq!(log.events(), [""; 0], "nothing was freed, nothing is said");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_bounded_however_long_a_batch_takes() {
    let (store, app) = stage();
    fill(&store, 1500).await;
    store.delay(Duration::from_millis(1900));
    Visitor::new(&app).get("/").await;
    while store.memory().len() > 500 {
        sleep(Duration::from_millis(1)).await;
    }
    let first = Instant::now();
    while !store.memory().is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
    let took = first.elapsed();
    let expected = Duration::from_millis(1900) + Duration::from_secs(1);
    assert!(
        took.abs_diff(expected) < Duration::from_millis(50),
        "{took:?}"
    );
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
async fn a_store_that_panics_in_a_sweep_is_swept_again() {
    let (store, app) = stage();
    fill(&store, 10).await;
    store.panic(&["remove_expired"]);
    Visitor::new(&app).get("/").await;
    let (log, _guard) = Log::listen();
    sleep(2 * MINUTE + MINUTE / 2).await;
    assert_eq!(store.calls(), ["remove_expired"; 2]);
    let expected = "WARN sessile: expired sessions could not be swept: trying again in a minute \
        error=the session store is unavailable: it panicked";
    assert_eq!(log.events(), [expected; 2]);
    store.panic(&[]);
    sleep(MINUTE).await;
    assert!(store.memory().is_empty());
}

/// A runtime whose clock stands still while it has something to do.
fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap()
}

#[test]
fn a_sweep_goes_on_in_another_runtime_once_its_own_has_ended() {
    let (store, app) = stage();
    let visit = async || {
        Visitor::new(&app).get("/").await;
        Visitor::new(&app).get("/").await;
        sleep(MINUTE + MINUTE / 2).await;
    };
    for _ in 0..3 {
        runtime().block_on(visit());
        assert_eq!(store.calls(), ["remove_expired"]);
    }
    // It is one task, however many runtimes ask.
    let (one, other) = (runtime(), runtime());
    one.block_on(visit());
    assert_eq!(store.calls(), ["remove_expired"]);
    other.block_on(visit());
    assert_eq!(store.calls(), [""; 0]);
    drop(one);
    other.block_on(visit());
    assert_eq!(store.calls(), ["remove_expired"]);
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

#[test]
fn the_sweep_ends_with_the_layer_in_a_later_runtime_too() {
    let (store, app) = stage();
    let mut app = Some(app);
    runtime().block_on(async {
        Visitor::new(app.as_ref().unwrap()).get("/").await;
    });
    runtime().block_on(async {
        Visitor::new(app.as_ref().unwrap()).get("/").await;
        drop(app.take());
        sleep(5 * MINUTE).await;
    });
    assert_eq!(store.calls(), [""; 0]);
}
