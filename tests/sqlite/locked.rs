//! Another process that holds the file, and what waits for it.

use std::time::{Duration, Instant};

use http::StatusCode;
use sessile::deadpool_sqlite::rusqlite::Connection;
use sessile::{SessionStore, SqliteStore};
use tokio::task::JoinSet;

use crate::file::File;
use crate::support::{Answer, Visitor};
use crate::{app, fresh_key, now, session};

const DEADLINE: Duration = Duration::from_millis(500);

/// How much later than its deadline an answer may come.
const GRACE: Duration = Duration::from_millis(50);

/// A connection tries for longer than this.
const HELD_UP: Duration = Duration::from_secs(4);

/// Asks, and checks that there is an answer in time.
async fn in_time(visitor: &mut Visitor, path: &str) -> Answer {
    in_time_after(async {}, visitor, path).await
}

/// As [`in_time`], where only a write waits: its deadline begins when the session is loaded.
async fn in_time_after_a_read(visitor: &mut Visitor, path: &str) -> Answer {
    let reader = visitor.clone();
    let read = async move { drop(reader.peek("/read").await) };
    in_time_after(read, visitor, path).await
}

/// By a timer that runs beside it, since a machine that has other things to do is late with both. What
/// holds up the runtime, as waiting for the file would, makes its timers late as well, and is found by
/// the time that it takes.
async fn in_time_after(
    before: impl Future<Output = ()> + Send + 'static,
    visitor: &mut Visitor,
    path: &str,
) -> Answer {
    let began = Instant::now();
    let timer = tokio::spawn(async move {
        before.await;
        tokio::time::sleep(DEADLINE).await;
        began.elapsed()
    });
    let answer = visitor.get(path).await;
    let took = began.elapsed();
    assert!(took < HELD_UP, "{path}: {took:?}");
    if took > DEADLINE {
        let deadline = timer.await.unwrap();
        assert!(took < deadline + GRACE, "{path}: {took:?} of {deadline:?}");
    }
    eprintln!("{path}: {} after {took:?}", answer.status);
    answer
}

/// Asks until it works, which it has to do soon, and says how often it was refused: a disk that has other
/// things to do is late too.
async fn works_again(visitor: &mut Visitor, path: &str) -> (Answer, u64) {
    let began = Instant::now();
    let mut refused = 0;
    loop {
        let answer = visitor.get(path).await;
        if answer.status == StatusCode::OK {
            eprintln!("{path}: works after {:?}", began.elapsed());
            return (answer, refused);
        }
        refused += 1;
        assert!(began.elapsed() < HELD_UP, "{path}: {}", answer.status);
    }
}

/// Waits until no call is under way any more, which has to be soon.
async fn all_are_back(store: &SqliteStore) {
    let began = Instant::now();
    while store.status().available < store.status().size {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            store.status()
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn hold(file: &File, how: &str) -> Connection {
    let holder = file.by_hand();
    holder.execute_batch(how).unwrap();
    holder
}

/// Of the writes that are answered 503 the first is under way when the file is free again, and is
/// stored once at most; those behind it in the line have not happened.
#[tokio::test]
async fn who_writes_waits_for_the_deadline_and_who_reads_does_not() {
    let file = File::new();
    let store = file.open().await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let mut count = 1;
    for how in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let holder = hold(&file, how);
        for path in ["/write", "/login/ann", "/write", "/logout", "/write"] {
            let answer = in_time_after_a_read(&mut visitor, path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.set_cookies(), [""; 0], "{path}");
            // Though the file is still held.
            let (read, _) = works_again(&mut visitor, "/read").await;
            assert_eq!(read.body, count.to_string());
        }
        holder.execute_batch("ROLLBACK").unwrap();
        let (_, refused) = works_again(&mut visitor, "/write").await;
        let found: u64 = visitor.get("/read").await.body.parse().unwrap();
        assert!(
            (count + 1..=count + 2 + refused).contains(&found),
            "{found} after {count}"
        );
        count = found;
        all_are_back(&store).await;
    }
}

/// Without a log to write ahead, a writer shuts out those who read.
#[tokio::test]
async fn a_file_that_is_shut_costs_the_deadline_and_no_more() {
    let file = File::new();
    let journal = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL";
    let pool = file.pool_with(2, journal, |_| {});
    let store = file.store_over(pool.clone()).await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    let holder = hold(&file, "BEGIN EXCLUSIVE");
    // More of them than there are connections.
    for path in [
        "/read", "/write", "/read", "/read", "/read", "/write", "/read",
    ] {
        let answer = in_time(&mut visitor, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    assert_eq!(
        in_time(&mut visitor, "/untouched").await.status,
        StatusCode::OK
    );
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(works_again(&mut visitor, "/read").await.0.body, "1");
    works_again(&mut visitor, "/write").await;
    all_are_back(&store).await;
    let (one, other) = tokio::join!(pool.get(), pool.get());
    assert!(one.is_ok() && other.is_ok());
}

/// The connection itself gives up after a while: then nothing was done.
#[tokio::test]
async fn who_gives_up_waiting_has_done_nothing() {
    let file = File::new();
    let begin = "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 20";
    let impatient = file.store_over(file.pool_with(2, begin, |_| {})).await;
    for store in [impatient, file.open().await] {
        let app = app(store, Duration::from_mins(1));
        let mut visitor = Visitor::new(&app);
        visitor.get("/write").await;
        let holder = hold(&file, "BEGIN IMMEDIATE");
        let answer = visitor.get("/write").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        holder.execute_batch("ROLLBACK").unwrap();
        assert_eq!(visitor.get("/read").await.body, "1");
    }
}

/// They would be refused if they met at the file, as nobody waits there for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_store_do_not_meet() {
    let file = File::new();
    let begin = "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0";
    let store = file.store_over(file.pool_with(4, begin, |_| {})).await;
    let mut writers = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        writers.spawn(async move {
            let (key, ends) = (fresh_key(), Duration::from_mins(1));
            let inserted = store.insert(key, session(1, ends), now()).await.unwrap();
            let found = store.load(key, now()).await.unwrap();
            (inserted, found.is_some())
        });
    }
    assert_eq!(writers.join_all().await, [(true, true); 200]);
}

/// Requests that are dropped give their connections and their turn back.
#[tokio::test]
async fn a_cancelled_request_holds_nothing() {
    let file = File::new();
    let store = file.open().await;
    let app = app(store.clone(), DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.get("/write").await;
    for turn in 0..200_u64 {
        let patience = Duration::from_micros(turn * 20);
        let _ = tokio::time::timeout(patience, visitor.peek("/write")).await;
    }
    works_again(&mut visitor, "/write").await;
    all_are_back(&store).await;
    let most = store.status().max_size;
    assert!(store.status().size <= most);
    let holder = hold(&file, "BEGIN IMMEDIATE; ROLLBACK");
    assert!(holder.is_autocommit());
}
