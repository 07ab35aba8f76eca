//! How many statements a request costs, as the server counts them, and how it carries them out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::StatusCode;
use sessile::deadpool_postgres::tokio_postgres::Client;
use sessile::{PostgresStore, Secret, SessionLayer, SessionStore};
use tokio::sync::Barrier;

use crate::servers::postgres::{Postgres, pool};
use crate::support::{TestClock, Visitor};
use crate::{fresh_key, now, routes, session};

/// A store of a user of its own, whose statements the server counts.
struct Counted {
    server: Postgres,
    store: PostgresStore,
    observer: Client,
}

impl Counted {
    async fn new() -> Self {
        let server = Postgres::start(&[
            "shared_preload_libraries=pg_stat_statements",
            "pg_stat_statements.track=all",
        ]);
        let observer = server.connect().await;
        let made = "CREATE EXTENSION pg_stat_statements; CREATE ROLE app LOGIN;
            GRANT CREATE ON DATABASE postgres TO app";
        observer.batch_execute(made).await.unwrap();
        let store = PostgresStore::new(pool(&server.url_of("app"), 2));
        store.migrate().await.unwrap();
        Self {
            server,
            store,
            observer,
        }
    }

    /// How many statements the store's user ran since the last time, nested ones included.
    async fn statements(&self) -> i64 {
        let count = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
            WHERE userid = 'app'::regrole";
        let row = self.observer.query_one(count, &[]).await.unwrap();
        let reset = self
            .observer
            .execute("SELECT pg_stat_statements_reset()", &[]);
        reset.await.unwrap();
        row.get(0)
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn each_request_costs_as_many_statements_as_the_docs_say() {
    let counted = Counted::new().await;
    let clock = TestClock::new();
    let sessions = SessionLayer::builder(counted.store.clone(), Secret::generate());
    let app = routes().layer(sessions.clock(clock.reader()).build().unwrap());
    let mut visitor = Visitor::new(&app);
    counted.statements().await;
    for (path, cost) in [
        ("/untouched", 0),
        // Nothing is asked for a visitor without a cookie.
        ("/read", 0),
        ("/write", 1),
        ("/untouched", 0),
        ("/read", 1),
        ("/write", 2),
        ("/read", 1),
        // `load`, `rotate`, and `marked`.
        ("/login/ann", 3),
        ("/read", 1),
        ("/write", 2),
        // An owner's session is not looked up by its owner.
        ("/logout", 2),
        // A first visit that signs in: `insert` and `marked`.
        ("/login/ann", 2),
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(counted.statements().await, cost, "{path}");
        eprintln!("{path}: {cost} statements");
    }
    // A touch that is due comes with the read.
    for _ in 0..3 {
        clock.advance(Duration::from_hours(20));
        assert_eq!(visitor.get("/read").await.status, StatusCode::OK);
        assert_eq!(counted.statements().await, 1);
    }
}

/// Requests that all read before any of them writes: each costs a `load` and a `replace`, and one more
/// `replace` for each time that another was faster.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_conflict_costs_one_statement_more() {
    let counted = Counted::new().await;
    let meet = Arc::new(Barrier::new(2));
    let all_read_first = from_fn(move |_: crate::Visits, request: Request, next: Next| {
        let meet = Arc::clone(&meet);
        async move {
            if request.uri().query() == Some("meet") {
                meet.wait().await;
            }
            next.run(request).await
        }
    });
    let sessions = SessionLayer::new(counted.store.clone(), Secret::generate());
    let app = routes().layer(all_read_first).layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    counted.statements().await;
    tokio::join!(visitor.peek("/write?meet"), visitor.peek("/write?meet"));
    assert_eq!(counted.statements().await, 2 * 2 + 1);
    assert_eq!(visitor.get("/read").await.body, "3");
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_sweep_goes_by_the_index_and_in_batches() {
    let counted = Counted::new().await;
    let fill = "INSERT INTO sessile.session (key, rev, expires, record)
        SELECT sha256(n::text::bytea), n, n * 1000, '{}' FROM generate_series(1, 50000) n";
    counted.observer.batch_execute(fill).await.unwrap();
    counted.observer.batch_execute("ANALYZE").await.unwrap();
    let sweep = include_str!("../../session-runtime/src/store/postgres/sql/remove_expired.sql");
    let prepare = format!("PREPARE sweep (bigint, bigint) AS {sweep}");
    counted.observer.batch_execute(&prepare).await.unwrap();
    let explain = "EXPLAIN EXECUTE sweep (2500000, 1000)";
    let plan = counted.observer.query(explain, &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("using session_expires on session"), "{plan}");
    assert!(!plan.contains("Seq Scan on session"), "{plan}");

    let ends = sessile::Timestamp::from_millis(2_500_000);
    let mut freed = Vec::new();
    while freed.last() != Some(&0) {
        freed.push(counted.store.remove_expired(ends, 1000).await.unwrap());
    }
    assert_eq!(freed, [1000, 1000, 500, 0]);
    let left = counted
        .observer
        .query_one("SELECT count(*) FROM sessile.session", &[])
        .await;
    assert_eq!(left.unwrap().get::<_, i64>(0), 47_500);
}

/// Every operation finds its rows by an index.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_operation_looks_at_every_row() {
    let counted = Counted::new().await;
    let fill = "INSERT INTO sessile.session (key, rev, expires, owners, record)
        SELECT sha256(n::text::bytea), n, 9e15::bigint, ARRAY[sha256((n / 3)::text::bytea)], '{}'
        FROM generate_series(1, 50000) n";
    counted.observer.batch_execute(fill).await.unwrap();
    counted.observer.batch_execute("ANALYZE").await.unwrap();
    let scans = "SELECT seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'session'";
    let scanned = async || -> (i64, i64) {
        let flush = "SELECT pg_stat_force_next_flush()";
        // Both connections, as either may have done it.
        let (one, other) = tokio::join!(counted.store.pool().get(), counted.store.pool().get());
        one.unwrap().batch_execute(flush).await.unwrap();
        other.unwrap().batch_execute(flush).await.unwrap();
        let row = counted.observer.query_one(scans, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    let before = scanned().await;
    // More than five times each, from when on the server may plan for any value at once.
    for turn in 0..20 {
        let (key, to, old, new) = (
            fresh_key(),
            fresh_key(),
            session(2 * turn, Duration::from_mins(1)),
            session(2 * turn + 1, Duration::from_mins(1)),
        );
        let revisions = [old.record.revision, new.record.revision];
        let store = &counted.store;
        store.insert(key, old, now()).await.unwrap();
        store
            .touch(key, revisions[0], now().plus(Duration::from_mins(2)), now())
            .await
            .unwrap();
        store
            .replace(key, revisions[0], new.clone(), now())
            .await
            .unwrap();
        store
            .replace(key, revisions[0], new.clone(), now())
            .await
            .unwrap();
        store
            .rotate(key, revisions[1], to, new, now())
            .await
            .unwrap();
        store.load(to, now()).await.unwrap();
        store.remove(to, now()).await.unwrap();
        store.remove_expired(now(), 1000).await.unwrap();
    }
    assert_eq!(scanned().await, before);
    drop(counted.server);
}
