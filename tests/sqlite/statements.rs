//! How many statements a request costs, as SQLite itself tells, and how it carries them out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::StatusCode;
use sessile::deadpool_sqlite::rusqlite::Connection;
use sessile::deadpool_sqlite::rusqlite::trace::{TraceEvent, TraceEventCodes};
use sessile::{Lifetime, Secret, SessionLayer, SessionStore, SqliteStore, Timestamp};
use tokio::sync::Barrier;

use crate::file::File;
use crate::support::{TestClock, Visitor};
use crate::{fresh_key, now, routes, session};

const HOUR: Duration = Duration::from_hours(1);

/// The statements that were begun, of whatever store is told to [`listen`]: SQLite's hook is a
/// function without a state.
static BEGUN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Which test has the statements.
static HEARING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn listen(connection: &Connection) {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(write_down));
}

#[allow(clippy::needless_pass_by_value, reason = "as SQLite's hook has it")]
fn write_down(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        BEGUN.lock().unwrap().push(sql.to_owned());
    }
}

/// The statements since the last time: what a trigger does is not one, and the pool's own checks are
/// apart. A store that opens its connections by itself has none.
fn statements() -> (usize, usize) {
    let mut begun = std::mem::take(&mut *BEGUN.lock().unwrap());
    begun.retain(|sql| !sql.starts_with("--"));
    let checks = begun.iter().filter(|sql| *sql == "SELECT $1").count();
    (begun.len() - checks, checks)
}

async fn counted(file: &File) -> SqliteStore {
    let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
    let store = file.store_over(file.pool_with(2, begin, listen)).await;
    // Each connection is made once.
    store.load(fresh_key(), now()).await.unwrap();
    statements();
    store
}

#[tokio::test]
async fn each_request_costs_as_many_statements_as_the_docs_say() {
    let _hearing = HEARING.lock().await;
    let file = File::new();
    let clock = TestClock::new();
    let sessions = SessionLayer::builder(counted(&file).await, secret());
    let app = routes().layer(sessions.clock(clock.reader()).build().unwrap());
    let mut visitor = Visitor::new(&app);
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
        assert_eq!(statements(), (cost, cost), "{path}");
        eprintln!("{path}: {cost} statements");
    }
    visitor.get("/read").await;
    statements();
    // A touch that is due comes with the read.
    for _ in 0..3 {
        clock.advance(Duration::from_hours(20));
        assert_eq!(visitor.get("/read").await.status, StatusCode::OK);
        assert_eq!(statements(), (1, 1));
    }
    // Not in a process that has not seen the session yet.
    let fresh = counted(&file).await;
    let sessions = SessionLayer::builder(fresh, secret());
    let app = routes().layer(sessions.clock(clock.reader()).build().unwrap());
    let mut again = Visitor::new(&app);
    again.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    for cost in [2, 1] {
        clock.advance(Duration::from_hours(20));
        assert_eq!(again.get("/read").await.status, StatusCode::OK);
        assert_eq!(statements(), (cost, cost));
    }
}

fn secret() -> Secret {
    Secret::try_from(&[7; 32][..]).unwrap()
}

/// A write moves the end too: no read has the file for itself to find that out.
#[tokio::test]
async fn what_a_write_has_moved_no_read_tries_to_move() {
    let _hearing = HEARING.lock().await;
    let file = File::new();
    let clock = TestClock::new();
    let sessions = SessionLayer::builder(counted(&file).await, Secret::generate());
    let app = routes().layer(sessions.clock(clock.reader()).build().unwrap());
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    statements();
    for _ in 0..8 {
        clock.advance(Duration::from_secs(40));
        assert_eq!(visitor.get("/write").await.status, StatusCode::OK);
        assert_eq!(statements(), (2, 2));
    }
}

/// At its absolute end, or by an idle timeout of its own, which is not touched beside a load.
#[tokio::test]
async fn an_end_that_stands_fast_is_not_tried_to_move_at_each_read() {
    let _hearing = HEARING.lock().await;
    let file = File::new();
    let store = counted(&file).await;
    let idle = Lifetime {
        idle: 2 * HOUR,
        absolute: Duration::MAX,
        until: Timestamp::MAX,
    };
    let mut of_its_own = session(1, HOUR);
    of_its_own.record.idle = Some(HOUR);
    let at_its_end = session(1, HOUR);
    let ends = at_its_end.expires;
    let absolute = Lifetime {
        absolute: ends.since(at_its_end.record.created),
        ..idle
    };
    for (session, lifetime) in [(of_its_own, idle), (at_its_end, absolute)] {
        let key = fresh_key();
        assert!(store.insert(key, session.clone(), now()).await.unwrap());
        statements();
        for _ in 0..3 {
            let found = store.load_and_touch(key, lifetime, now()).await.unwrap();
            assert_eq!(found.as_ref(), Some(&session));
            assert_eq!(statements().0, 1);
        }
    }
}

/// Requests that all read before any of them writes: each costs a `load` and a `replace`, and one more
/// `replace` for each time that another was faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_costs_one_statement_more() {
    let _hearing = HEARING.lock().await;
    let file = File::new();
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
    let sessions = SessionLayer::new(counted(&file).await, Secret::generate());
    let app = routes().layer(all_read_first).layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    statements();
    tokio::join!(visitor.peek("/write?meet"), visitor.peek("/write?meet"));
    assert_eq!(statements().0, 2 * 2 + 1);
    assert_eq!(visitor.get("/read").await.body, "3");
}

#[tokio::test]
async fn a_sweep_goes_in_batches() {
    let file = File::new();
    let store = file.open().await;
    let insert =
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 50000)
        INSERT INTO sessile_session (key, rev, expires, matched, record)
        SELECT CAST(n AS BLOB), n, n * 1000, 1, '{}' FROM numbers";
    file.by_hand().execute_batch(insert).unwrap();
    let ends = sessile::Timestamp::from_millis(2_500_000);
    let mut freed = Vec::new();
    while freed.last() != Some(&0) {
        freed.push(store.remove_expired(ends, 1000).await.unwrap());
    }
    assert_eq!(freed, [1000, 1000, 500, 0]);
    let left = "SELECT count(*) FROM sessile_session";
    let left: i64 = file
        .by_hand()
        .query_one(left, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 47_500);
}

/// Every operation finds its rows by an index.
#[tokio::test]
async fn no_operation_looks_at_every_row() {
    let file = File::new();
    drop(file.open().await);
    let hand = file.by_hand();
    for (sql, index) in [
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/load.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/load_and_touch.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/replace.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/rotate.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/touch.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/remove.sql"),
            "(key=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/remove_expired.sql"),
            "sessile_session_expires (expires<?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/remove_past.sql"),
            "sessile_mark_until (until<?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/owned_by.sql"),
            "listed USING PRIMARY KEY (owner=?)",
        ),
        (
            include_str!("../../session-runtime/src/store/sqlite/sql/marked.sql"),
            "(owner=?)",
        ),
    ] {
        let mut explain = hand.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explain.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan += "\n";
            plan += &row.get::<_, String>("detail").unwrap();
        }
        assert!(plan.contains(index), "{sql}{plan}");
        assert!(!plan.contains("SCAN"), "{sql}{plan}");
    }
}

/// The statement that compares writes the row in any case.
#[tokio::test]
async fn a_conflict_leaves_what_stands_as_it_was() {
    let file = File::new();
    let store = file.open().await;
    let (key, stands) = (fresh_key(), session(1, Duration::from_hours(1)));
    store.insert(key, stands.clone(), now()).await.unwrap();
    let other = sessile::Revision::from_u64(9);
    let new = session(2, Duration::from_hours(2));
    let swap = store.replace(key, other, new.clone(), now()).await.unwrap();
    assert_eq!(swap, sessile::Swap::Conflict(stands.clone()));
    let swap = store
        .rotate(key, other, fresh_key(), new, now())
        .await
        .unwrap();
    assert_eq!(swap, sessile::Swap::Conflict(stands.clone()));
    // Of the very revision that stands, but from another: it was not stored by this call.
    let swap = store
        .replace(key, other, stands.clone(), now())
        .await
        .unwrap();
    assert_eq!(swap, sessile::Swap::Conflict(stands.clone()));
    assert_eq!(store.load(key, now()).await.unwrap(), Some(stands));
}
