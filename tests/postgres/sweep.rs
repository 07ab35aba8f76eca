//! Expired sessions are freed beside the requests, which do not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use sessile::SessionStore;
use tokio::task::JoinSet;

use crate::servers::postgres::Postgres;
use crate::support::{self, Visitor, size};
use crate::{app, now};

/// What the layer asks for at once.
const BATCH: usize = 1000;

/// Sessions that have expired.
const EXPIRED: &str = "INSERT INTO sessile.session (key, rev, expires, record)
    SELECT sha256(n::text::bytea), n, n, '{}' FROM generate_series(1, $1::bigint) n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn requests_are_answered_while_many_sessions_are_swept() {
    const VISITORS: usize = 4;

    support::trace::install();
    let server = Postgres::start(&[]);
    let store = sessile::PostgresStore::from_url(&server.url()).unwrap();
    store.migrate().await.unwrap();
    let expired = i64::try_from(size(50_000, 1_000_000)).unwrap();
    let observer = server.connect().await;
    observer.execute(EXPIRED, &[&expired]).await.unwrap();
    let app = app(store.clone(), Duration::from_secs(2));
    let done = Arc::new(AtomicBool::new(false));
    let mut visits = JoinSet::new();
    for _ in 0..VISITORS {
        let (mut visitor, done) = (Visitor::new(&app), Arc::clone(&done));
        visits.spawn(async move {
            let mut visits = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                let answer = visitor.get("/write").await;
                assert_eq!(answer.status, StatusCode::OK);
                visits.push((began, Instant::now()));
            }
            let counted = visitor.get("/read").await.body;
            assert_eq!(counted, visits.len().to_string());
            visits
        });
    }
    let (mut freed, mut batches) = (0, Vec::new());
    loop {
        let began = Instant::now();
        let batch = store.remove_expired(now(), BATCH).await.unwrap();
        batches.push((began, Instant::now()));
        assert!(batch <= BATCH);
        freed += batch;
        if batch == 0 {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    let visits = visits.join_all().await.concat();
    let within = visits.iter().filter(|(began, ended)| {
        let in_batch = |(begins, ends): &(Instant, Instant)| begins < began && ended < ends;
        batches.iter().any(in_batch)
    });
    let within = within.count();
    eprintln!(
        "{freed} freed in {} batches, the longest {:?}; meanwhile {} writes by {VISITORS} visitors, \
         the slowest {:?}, {within} of them from beginning to end within a batch",
        batches.len(),
        longest(&batches),
        visits.len(),
        longest(&visits)
    );
    assert_eq!(freed, usize::try_from(expired).unwrap());
    assert!(within > 0, "batches hold up requests");
}

fn longest(spans: &[(Instant, Instant)]) -> Duration {
    let lengths = spans
        .iter()
        .map(|(began, ended)| ended.duration_since(*began));
    lengths.max().unwrap()
}
