//! A logout during which another request rotates the session: it ends the session, or answers 409.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use sessile::{MemoryStore, Secret, SessionHandle, SessionLayer, SessionStore};
use tokio::sync::Notify;

use crate::routes::{ask_with, routes, signed_in, token, user_of};
use crate::support::Answer;

/// The routes by which another request rotates the session.
const ROTATIONS: [&str; 4] = ["/login/bob", "/promote", "/renew", "/clear"];

/// Holds a handler between its load and its `destroy`.
#[derive(Clone, Default)]
struct Pause(Arc<(Notify, Notify)>);

async fn logout(State(Pause(pause)): State<Pause>, session: SessionHandle) {
    pause.0.notify_one();
    pause.1.notified().await;
    session.destroy();
}

/// Rotates a session while a logout is under way. Returns the answer to the logout, and the token
/// of the rotated session.
async fn logout_that_meets(rotation: &str, app: &Router, pause: &Pause) -> (Answer, String) {
    let old = signed_in(app, "ann").await;
    let logout = tokio::spawn({
        let (app, old) = (app.clone(), old.clone());
        async move { ask_with(&app, "/slow-logout", &[&old]).await }
    });
    pause.0.0.notified().await;
    let new = token(&ask_with(app, rotation, &[&old]).await);
    pause.0.1.notify_one();
    (logout.await.unwrap(), new)
}

fn app(store: impl SessionStore) -> (Router, Pause) {
    let pause = Pause::default();
    let slow = Router::new()
        .route("/slow-logout", get(logout))
        .with_state(pause.clone());
    let sessions = SessionLayer::new(store, Secret::generate());
    (routes().merge(slow).layer(sessions), pause)
}

/// Returns `true` if the token opens a session.
async fn is_alive(app: &Router, token: &str) -> bool {
    // A change of a live session sets no cookie.
    let answer = ask_with(app, "/visit", &[token]).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.set_cookies().is_empty()
}

/// A logout answers 200 only if the session has ended, and otherwise 409 without a cookie.
#[cfg(any(feature = "postgres", feature = "redis"))]
async fn a_logout_is_carried_out_or_refused(store: impl SessionStore) {
    let (app, pause) = app(store);
    for rotation in ROTATIONS {
        let (answer, new) = logout_that_meets(rotation, &app, &pause).await;
        if answer.status == StatusCode::OK {
            assert!(!is_alive(&app, &new).await, "{rotation}: 200, and alive");
            continue;
        }
        assert_eq!(answer.status, StatusCode::CONFLICT, "{rotation}");
        assert_eq!(answer.set_cookies(), [""; 0], "{rotation}");
    }
}

#[tokio::test]
async fn a_logout_that_meets_a_rotation_is_409_and_removes_no_cookie() {
    let (app, pause) = app(MemoryStore::new());
    for rotation in ROTATIONS {
        let (answer, new) = logout_that_meets(rotation, &app, &pause).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{rotation}");
        assert_eq!(answer.set_cookies(), [""; 0], "{rotation}");
        assert!(is_alive(&app, &new).await, "{rotation}");
        // The next logout works.
        let answer = ask_with(&app, "/logout", &[&new]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(user_of(&app, &new).await, "nobody");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_logout_that_meets_a_rotation_is_carried_out_or_refused_on_postgresql() {
    let server = crate::servers::postgres::Postgres::start(&[]);
    a_logout_is_carried_out_or_refused(server.store().await).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_logout_that_meets_a_rotation_is_carried_out_or_refused_on_redis() {
    let server = crate::servers::redis::Redis::start();
    let store = sessile::RedisStore::open(&server.url()).unwrap();
    a_logout_is_carried_out_or_refused(store).await;
}

/// On a cluster the old key names the new one.
#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_logout_that_meets_a_rotation_ends_the_successor_on_a_cluster() {
    let cluster = crate::servers::redis::Cluster::start();
    let store = sessile::RedisStore::open(&cluster.url()).unwrap();
    let (app, pause) = app(store);
    for rotation in ROTATIONS.repeat(3) {
        let (answer, new) = logout_that_meets(rotation, &app, &pause).await;
        assert_eq!(answer.status, StatusCode::OK, "{rotation}");
        assert!(!is_alive(&app, &new).await, "{rotation}");
    }
}
