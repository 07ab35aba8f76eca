//! A server that stands still, ends, comes back, or holds what is no record.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{PostgresStore, Secret, Session, SessionLayer};
use tokio::task::JoinSet;

use crate::servers::postgres::{Frozen, Postgres};
use crate::support::{Answer, Visitor};
use crate::{Visits, app, routes};

const DEADLINE: Duration = Duration::from_millis(500);

/// How much later than its deadline an answer may come.
const GRACE: Duration = Duration::from_millis(50);

async fn store(server: &Postgres) -> PostgresStore {
    let store = PostgresStore::from_url(&server.url()).unwrap();
    store.migrate().await.unwrap();
    store
}

/// Asks, and checks that there is an answer in time: by a timer that runs beside it, since a machine
/// that has other things to do is late with both.
async fn in_time(visitor: &mut Visitor, path: &str) -> Answer {
    let began = Instant::now();
    let timer = tokio::spawn(async move {
        tokio::time::sleep(DEADLINE).await;
        began.elapsed()
    });
    let answer = visitor.get(path).await;
    let took = began.elapsed();
    if took > DEADLINE {
        let deadline = timer.await.unwrap();
        assert!(took < deadline + GRACE, "{path}: {took:?} of {deadline:?}");
    }
    eprintln!("{path}: {} after {took:?}", answer.status);
    answer
}

/// Asks until it works, which it has to do soon, and then says how long it took.
async fn works_again(visitor: &mut Visitor, path: &str) -> (Answer, Duration) {
    let began = Instant::now();
    loop {
        let answer = visitor.get(path).await;
        if answer.status == StatusCode::OK {
            return (answer, began.elapsed());
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{}",
            answer.status
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_frozen_server_costs_the_deadline_and_no_more() {
    let server = Postgres::start(&[]);
    let app = app(store(&server).await, DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    for _ in 0..3 {
        let frozen = server.freeze();
        for path in ["/read", "/write", "/login/ann", "/logout", "/read"] {
            let answer = in_time(&mut visitor, path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        }
        assert_eq!(
            in_time(&mut visitor, "/untouched").await.status,
            StatusCode::OK
        );
        drop(frozen);
        let answer = in_time(&mut visitor, "/read").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "1"));
    }
}

/// One connection's process stands still, for good: after the first who met it nobody waits for it.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_frozen_connection_is_waited_for_once() {
    let server = Postgres::start(&[]);
    let store = server.store_over(2).await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let pid = "SELECT pg_backend_pid()";
    let client = store.pool().get().await.unwrap();
    let pid: i32 = client.query_one(pid, &[]).await.unwrap().get(0);
    drop(client);
    let frozen = Frozen::of(pid.cast_unsigned());
    let mut refused = 0;
    for _ in 0..20 {
        let answer = in_time(&mut visitor, "/read").await;
        refused += usize::from(answer.status != StatusCode::OK);
    }
    assert_eq!(refused, 1);
    // Its connection is closed by now, and another one has its place.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(store.pool().status().size, 1);
    let (one, other) = tokio::join!(store.pool().get(), store.pool().get());
    assert!(one.is_ok() && other.is_ok());
    drop(frozen);
}

/// The server stands still between the read and the write of one request: the write is still under way
/// when its request has been answered 503. It is stored once at most, and nothing is overwritten.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_write_to_a_frozen_server_is_stored_once_at_most() {
    type Ice = Arc<Mutex<Option<Frozen>>>;
    async fn freeze(
        mut visits: Session<Visits>,
        Extension(server): Extension<Arc<Postgres>>,
        Extension(ice): Extension<Ice>,
    ) {
        *ice.lock().unwrap() = Some(server.freeze());
        visits.count += 1;
    }

    let server = Arc::new(Postgres::start(&[]));
    let store = store(&server).await;
    let (ice, sessions) = (
        Ice::default(),
        SessionLayer::builder(store, Secret::generate()),
    );
    let app: Router = routes()
        .route("/freeze", get(freeze))
        .layer(Extension(Arc::clone(&server)))
        .layer(Extension(Arc::clone(&ice)))
        .layer(sessions.store_timeout(DEADLINE).build().unwrap());
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let mut most = 1;
    for _ in 0..3 {
        let answer = visitor.get("/freeze").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(ice.lock().unwrap().take());
        most += 2;
        let (_, _) = works_again(&mut visitor, "/write").await;
        let count: u64 = visitor.get("/read").await.body.parse().unwrap();
        assert!(
            (most - 1..=most).contains(&count),
            "{count} of at most {most}"
        );
        most = count;
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_server_that_comes_back_is_used_again() {
    let mut server = Postgres::start(&[]);
    let app = app(store(&server).await, DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    for _ in 0..3 {
        server.kill();
        for path in ["/read", "/write"] {
            let answer = in_time(&mut visitor, path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        }
        server.start_again();
        let (answer, after) = works_again(&mut visitor, "/read").await;
        assert_eq!(answer.body, "1");
        eprintln!("healthy again after {after:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_pool_that_has_none_left_costs_the_deadline() {
    let server = Postgres::shared();
    let store = server.store_over(1).await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let taken = store.pool().get().await.unwrap();
    for path in ["/read", "/write"] {
        let answer = in_time(&mut visitor, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    drop(taken);
    assert_eq!(in_time(&mut visitor, "/read").await.body, "1");
}

/// Requests that are dropped give their connections back, and open no new ones.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_cancelled_request_costs_no_connection() {
    let server = Postgres::shared();
    let store = server.store_over(2).await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let backends = async || {
        let client = store.pool().get().await.unwrap();
        let pid = client
            .query_one("SELECT pg_backend_pid()", &[])
            .await
            .unwrap();
        pid.get::<_, i32>(0)
    };
    let mut before = vec![backends().await];
    let other = tokio::join!(backends(), backends());
    before.extend([other.0, other.1]);
    for turn in 0..200_u64 {
        let patience = Duration::from_micros(turn * 10);
        let _ = tokio::time::timeout(patience, visitor.peek("/write")).await;
    }
    assert_eq!(in_time(&mut visitor, "/read").await.status, StatusCode::OK);
    assert_eq!(store.pool().status().max_size, 2);
    for _ in 0..10 {
        let pid = backends().await;
        assert!(before.contains(&pid), "{pid} is none of {before:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn what_is_no_record_is_answered_503_and_stays() {
    let server = Postgres::shared();
    let store = server.store().await;
    let app = app(store.clone(), DEADLINE);
    let table = store.migration();
    let table = format!("{}.session", table.split('"').nth(1).unwrap());
    let client = server.connect().await;
    for record in [
        "",
        "x",
        "{}",
        r#"{"v":2,"rev":1,"created":0,"data":{}}"#,
        "\u{fffd}",
    ] {
        let mut visitor = Visitor::new(&app);
        visitor.get("/write").await;
        let spoil = format!("UPDATE {table} SET record = $1");
        client.execute(&spoil, &[&record.as_bytes()]).await.unwrap();
        for path in ["/read", "/write", "/login/ann"] {
            let answer = visitor.get(path).await;
            assert_eq!(
                answer.status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{record}: {path}"
            );
            assert_eq!(answer.set_cookies(), [""; 0], "{record}: {path}");
        }
        let row = client
            .query_one(&format!("SELECT record FROM {table}"), &[])
            .await;
        assert_eq!(row.unwrap().get::<_, Vec<u8>>(0), record.as_bytes());
        client
            .batch_execute(&format!("DELETE FROM {table}"))
            .await
            .unwrap();
    }
}

/// Where the application's role has a stricter isolation, requests that meet are refused, and what is
/// answered as stored is stored.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_update_is_lost_under_stricter_isolation() {
    let server = Postgres::shared();
    let admin = server.connect().await;
    for level in ["repeatable read", "serializable"] {
        let role = level.replace(' ', "_");
        let made = format!(
            "CREATE ROLE {role} LOGIN SUPERUSER;
             ALTER ROLE {role} SET default_transaction_isolation = '{level}'"
        );
        admin.batch_execute(&made).await.unwrap();
        let store = PostgresStore::from_url(&server.url_of(&role)).unwrap();
        let store = store.schema(role).unwrap();
        store.migrate().await.unwrap();
        let app = app(store, Duration::from_secs(5));
        let mut visitor = Visitor::new(&app);
        visitor.get("/write").await;
        let writes: JoinSet<_> = (0..100)
            .map(|_| {
                let visitor = visitor.clone();
                async move { visitor.peek("/write").await.status }
            })
            .collect();
        let writes = writes.join_all().await;
        let count = |status| writes.iter().filter(|found| **found == status).count();
        let (stored, refused) = (
            count(StatusCode::OK),
            count(StatusCode::SERVICE_UNAVAILABLE),
        );
        assert_eq!(stored + refused, 100);
        assert_eq!(visitor.get("/read").await.body, (1 + stored).to_string());
        eprintln!("{level}: {stored} stored, {refused} refused, 0 lost");
    }
}
