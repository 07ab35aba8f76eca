//! Processes that share a file.

use std::time::Duration;

use http::StatusCode;
use sessile::SqliteStore;
use tokio::task::JoinSet;

use crate::app;
use crate::file::{File, child};
use crate::support::Visitor;

const COOKIE: &str = "__Host-sid";
const TOKEN: &str = "SESSILE_SQLITE_TOKEN";
const PROCESSES: usize = 4;
const WRITES: usize = 50;
const DEADLINE: Duration = Duration::from_secs(20);

/// All of a process's writes to one session, at once.
async fn write(store: SqliteStore) {
    let app = app(store, DEADLINE);
    let mut visitor = Visitor::new(&app);
    visitor.plant(COOKIE, &std::env::var(TOKEN).unwrap());
    let writes: JoinSet<_> = (0..WRITES)
        .map(|_| {
            let visitor = visitor.clone();
            async move { visitor.peek("/write").await.status }
        })
        .collect();
    assert_eq!(writes.join_all().await, [StatusCode::OK; WRITES]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_by_processes_that_share_a_file() {
    if let Some(path) = child() {
        return write(SqliteStore::open(path).await.unwrap()).await;
    }
    let file = File::new();
    let mut visitor = Visitor::new(&app(file.open().await, DEADLINE));
    visitor.get("/write").await;
    let token = visitor.cookie(COOKIE).unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut child =
                file.child("processes::no_update_is_lost_by_processes_that_share_a_file");
            child.env(TOKEN, token).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let count = visitor.get("/read").await.body;
    eprintln!(
        "{PROCESSES} processes, {} writes at once, {count} stored",
        PROCESSES * WRITES
    );
    assert_eq!(count, (1 + PROCESSES * WRITES).to_string());
}
