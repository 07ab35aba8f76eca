//! A response future that is dropped at any poll: the layer still carries out an end that the
//! handler asked for, and finishes a commit that has begun.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use sessile::{MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer, Sessions};

use crate::routes::{Account, Visits, ask_with, routes, signed_in, user_of};
use crate::schedule::{caught, dropped_after, panic_quietly, step};
use crate::wrapped::{InSteps, Manner, Regardless, Wrapped};

/// Far more time than a layer needs to drain.
const PATIENCE: Duration = Duration::from_secs(5);

/// Set once the handler has done what its test is about.
type Reached = Arc<AtomicBool>;

/// Two applications on one store; the calls of `slow` take several polls.
struct Site {
    layer: SessionLayer,
    slow: Router,
    app: Router,
    reached: Reached,
}

impl Site {
    fn new(manner: impl Manner) -> Self {
        let (store, secret) = (Arc::new(MemoryStore::new()), Secret::generate());
        let reached = Reached::default();
        let layer = SessionLayer::new(Wrapped(Arc::clone(&store), manner), secret.clone());
        let ends = Router::new()
            .route("/end", get(end))
            .route("/end-and-wait", get(end_and_wait))
            .route("/end-and-panic", get(end_and_panic))
            .route("/end-all", get(end_all))
            .route("/end-others", get(end_others))
            .route("/count", get(count))
            .with_state(Arc::clone(&reached));
        Self {
            slow: ends.layer(layer.clone()),
            app: routes().layer(SessionLayer::new(store, secret)),
            layer,
            reached,
        }
    }

    /// Drops a request after so many polls, and waits until the layer is drained. Returns `true` if
    /// the request was done.
    async fn dropped_after(&self, polls: usize, path: &str, token: &str) -> bool {
        self.reached.store(false, Ordering::Relaxed);
        let tokens = [token];
        let asked = ask_with(&self.slow, path, &tokens);
        let done = dropped_after(polls, asked).await.is_some();
        self.drained(&format!("{path}, {polls} polls")).await;
        done
    }

    async fn drained(&self, at: &str) {
        let drained = tokio::time::timeout(PATIENCE, self.layer.drained()).await;
        assert!(drained.is_ok(), "{at}: drained");
    }

    fn has_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

async fn end(State(reached): State<Reached>, session: SessionHandle) {
    session.destroy();
    reached.store(true, Ordering::Relaxed);
}

async fn end_and_wait(reached: State<Reached>, session: SessionHandle) {
    end(reached, session).await;
    for _ in 0..3 {
        step().await;
    }
}

async fn end_and_panic(session: SessionHandle) -> StatusCode {
    session.destroy();
    panic_quietly()
}

async fn end_all(
    State(reached): State<Reached>,
    account: Account,
    all: Sessions,
) -> Result<(), SessionError> {
    let ended = all.revoke_all::<Account>(&account.user);
    noting(&reached, ended).await.map(drop)
}

async fn end_others(State(reached): State<Reached>, all: Sessions) -> Result<(), SessionError> {
    noting(&reached, all.revoke_others()).await.map(drop)
}

async fn count(State(reached): State<Reached>, mut visits: Session<Visits>) {
    visits.count += 1;
    reached.store(true, Ordering::Relaxed);
}

/// Sets `reached` once the future has been polled.
async fn noting<F: Future>(reached: &Reached, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let poll = future.as_mut().poll(context);
        reached.store(true, Ordering::Relaxed);
        poll
    })
    .await
}

async fn a_destroyed_session_is_dead(manner: impl Manner) {
    for path in ["/end", "/end-and-wait"] {
        let site = Site::new(manner.clone());
        let mut cut_short = 0;
        for polls in 1.. {
            let token = signed_in(&site.app, "ann").await;
            let done = site.dropped_after(polls, path, &token).await;
            let expected = if site.has_reached() { "nobody" } else { "ann" };
            let found = user_of(&site.app, &token).await;
            assert_eq!(found, expected, "{path} dropped after {polls} polls");
            if done {
                break;
            }
            cut_short += usize::from(site.has_reached());
        }
        assert!(cut_short > 0, "{path} takes several polls");
    }
}

async fn revoked_sessions_are_dead(manner: impl Manner) {
    for (path, stays) in [("/end-all", false), ("/end-others", true)] {
        let site = Site::new(manner.clone());
        for polls in 1.. {
            let user = format!("user-{polls}");
            let here = signed_in(&site.app, &user).await;
            let there = signed_in(&site.app, &user).await;
            let done = site.dropped_after(polls, path, &here).await;
            let at = format!("{path} dropped after {polls} polls");
            let is_alive = !site.has_reached();
            for (token, is_alive) in [(here, stays || is_alive), (there, is_alive)] {
                let found = user_of(&site.app, &token).await;
                assert_eq!(found == user, is_alive, "{at}");
            }
            if done {
                break;
            }
        }
    }
}

async fn a_commit_that_has_begun_is_finished(manner: impl Manner) {
    let site = Site::new(manner);
    for polls in 1.. {
        let token = signed_in(&site.app, "ann").await;
        let done = site.dropped_after(polls, "/count", &token).await;
        let expected = u64::from(site.has_reached()).to_string();
        let found = ask_with(&site.app, "/read", &[&token]).await.body;
        assert_eq!(found, expected, "dropped after {polls} polls");
        if done {
            break;
        }
    }
}

#[tokio::test]
async fn a_destroyed_session_is_dead_wherever_its_response_is_dropped() {
    a_destroyed_session_is_dead(InSteps).await;
}

#[tokio::test]
async fn a_destroyed_session_is_dead_where_calls_outlive_a_dropped_response() {
    a_destroyed_session_is_dead(Regardless).await;
}

/// The panic unwinds through the layer, and the store is slow to answer.
#[tokio::test]
async fn a_session_that_a_panicking_handler_destroyed_is_dead() {
    let site = Site::new(InSteps);
    let token = signed_in(&site.app, "ann").await;
    let answer = caught(ask_with(&site.slow, "/end-and-panic", &[&token])).await;
    assert!(answer.is_none(), "nobody catches the panic");
    site.drained("a panic").await;
    assert_eq!(user_of(&site.app, &token).await, "nobody");
}

#[tokio::test]
async fn revoked_sessions_are_dead_wherever_the_response_is_dropped() {
    revoked_sessions_are_dead(InSteps).await;
}

#[tokio::test]
async fn revoked_sessions_are_dead_where_calls_outlive_a_dropped_response() {
    revoked_sessions_are_dead(Regardless).await;
}

#[tokio::test]
async fn a_commit_that_has_begun_is_finished_though_its_response_is_dropped() {
    a_commit_that_has_begun_is_finished(InSteps).await;
}

#[tokio::test]
async fn a_commit_is_finished_where_calls_outlive_a_dropped_response() {
    a_commit_that_has_begun_is_finished(Regardless).await;
}
