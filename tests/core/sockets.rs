//! A visitor closes the socket after asking for an end: real connections, on each store.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sessile::{
    MemoryStore, Secret, SessionError, SessionHandle, SessionLayer, SessionStore, Sessions,
};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::routes::{Account, NAME, routes, signed_in, user_of};
use crate::wire;
use crate::wrapped::{Taking, Wrapped};

const VISITORS: usize = 40;

/// The time between the call in the handler and the close of the socket.
const CLOSES_AFTER: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(1),
    Duration::from_millis(10),
];

/// The routes, and `true` if the visitor's own session stays alive.
const ENDS: [(&str, bool); 6] = [
    ("/end", false),
    ("/end-and-wait", false),
    ("/end-slowly", false),
    ("/end-all", false),
    ("/end-all-slowly", false),
    ("/end-others-slowly", true),
];

const PATIENCE: Duration = Duration::from_secs(3);

/// The time that each call of a slow store takes.
const SLOW: Duration = Duration::from_millis(20);

/// Tells the test that the handler has asked for the end.
type Asked = UnboundedSender<()>;

async fn end(State(asked): State<Asked>, session: SessionHandle) {
    session.destroy();
    asked.send(()).unwrap();
}

async fn end_and_wait(asked: State<Asked>, session: SessionHandle) {
    end(asked, session).await;
    std::future::pending::<()>().await;
}

async fn end_all(
    State(asked): State<Asked>,
    account: Account,
    all: Sessions,
) -> Result<(), SessionError> {
    // `join!` polls the revocation first.
    let ended = all.revoke_all::<Account>(&account.user);
    let (ended, ()) = tokio::join!(ended, async { asked.send(()).unwrap() });
    ended.map(drop)
}

async fn end_others(State(asked): State<Asked>, all: Sessions) -> Result<(), SessionError> {
    let ended = all.revoke_others();
    let (ended, ()) = tokio::join!(ended, async { asked.send(()).unwrap() });
    ended.map(drop)
}

/// Sends a request, waits until its handler has asked for the end, and closes the socket.
async fn ask_and_leave(
    address: SocketAddr,
    path: &str,
    token: &str,
    asked: &mut UnboundedReceiver<()>,
    after: Duration,
) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {NAME}={token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    asked.recv().await.unwrap();
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
    drop(stream);
}

/// Asks for 40 ends of each kind, and counts the sessions that are dead afterwards.
async fn every_end_is_carried_out(store: impl SessionStore + Clone) {
    let secret = Secret::generate();
    let (asked, mut heard) = unbounded_channel();
    let at_once = SessionLayer::new(store.clone(), secret.clone());
    let slowly = SessionLayer::new(Wrapped(store.clone(), Taking(SLOW)), secret.clone());
    let quick = Router::new()
        .route("/end", get(end))
        .route("/end-and-wait", get(end_and_wait))
        .route("/end-all", get(end_all))
        .layer(at_once);
    let slow = Router::new()
        .route("/end-slowly", get(end))
        .route("/end-all-slowly", get(end_all))
        .route("/end-others-slowly", get(end_others))
        .layer(slowly);
    let address = wire::serve(quick.merge(slow).with_state(asked)).await;
    let app = routes().layer(SessionLayer::new(store, secret));

    let mut missed = Vec::new();
    for (path, stays) in ENDS {
        for after in CLOSES_AFTER {
            let (mut own, mut to_end) = (Vec::new(), Vec::new());
            for n in 0..VISITORS {
                let user = format!("{}-{}-{n}", path.trim_matches('/'), after.as_millis());
                let here = signed_in(&app, &user).await;
                if stays {
                    to_end.push(signed_in(&app, &user).await);
                } else {
                    to_end.push(here.clone());
                }
                ask_and_leave(address, path, &here, &mut heard, after).await;
                own.push(here);
            }
            let ended = VISITORS - alive(&app, to_end).await;
            if ended < VISITORS {
                missed.push(format!(
                    "{path}, closed after {after:?}: {ended} of {VISITORS}"
                ));
            }
            for token in own.iter().filter(|_| stays) {
                assert_ne!(user_of(&app, token).await, "nobody", "{path}");
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

/// Counts the sessions that are still alive after [`PATIENCE`].
async fn alive(app: &Router, mut tokens: Vec<String>) -> usize {
    let began = Instant::now();
    loop {
        let mut left = Vec::new();
        for token in tokens {
            if user_of(app, &token).await != "nobody" {
                left.push(token);
            }
        }
        if left.is_empty() || began.elapsed() > PATIENCE {
            return left.len();
        }
        tokens = left;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The server shuts down while the logout of a visitor who has left is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_waits_until_it_is_drained_has_carried_out_every_end() {
    let (store, secret) = (Arc::new(MemoryStore::new()), Secret::generate());
    let slowly = Wrapped(Arc::clone(&store), Taking(SLOW));
    let sessions = SessionLayer::new(slowly, secret.clone());
    let app = routes().layer(SessionLayer::new(store, secret));
    for path in ["/end", "/end-and-wait", "/end-all"] {
        let (asked, mut heard) = unbounded_channel();
        let routes = Router::new()
            .route("/end", get(end))
            .route("/end-and-wait", get(end_and_wait))
            .route("/end-all", get(end_all))
            .layer(sessions.clone())
            .with_state(asked);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server =
            axum::serve(listener, routes).with_graceful_shutdown(async { stopped.await.unwrap() });
        let server = tokio::spawn(server.into_future());
        let token = signed_in(&app, "ann").await;
        ask_and_leave(address, path, &token, &mut heard, Duration::ZERO).await;
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        sessions.drained().await;
        assert_eq!(user_of(&app, &token).await, "nobody", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_is_carried_out_though_its_visitor_leaves() {
    every_end_is_carried_out(Arc::new(MemoryStore::new())).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn every_end_is_carried_out_on_postgresql_though_its_visitor_leaves() {
    let server = crate::servers::postgres::Postgres::start(&[]);
    every_end_is_carried_out(server.store().await).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn every_end_is_carried_out_on_redis_though_its_visitor_leaves() {
    let server = crate::servers::redis::Redis::start();
    let store = sessile::RedisStore::open(&server.url()).unwrap();
    every_end_is_carried_out(store).await;
}
