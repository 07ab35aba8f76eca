//! On durable settings what was acknowledged survives the end of the server.

use std::time::Duration;

use sessile::PostgresStore;
use tokio::task::block_in_place;

use crate::servers::postgres::Postgres;
use crate::support::load::{Findings, Load, app};
use crate::support::size;

/// Visitors write and log out while all processes of the server are killed and it is started again:
/// no acknowledged write is lost, and no acknowledged logout undone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn what_was_acknowledged_survives_kill_9() {
    let kills = size(3, 200);
    let mut server = Postgres::start(&["fsync=on", "synchronous_commit=on"]);
    let store = PostgresStore::from_url(&server.url()).unwrap();
    store.migrate().await.unwrap();
    let app = app(store, Duration::from_secs(2));
    let mut findings = Findings::default();
    for _ in 0..kills {
        let load = Load::start(&app, 8);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(300..900))).await;
        block_in_place(|| {
            server.kill();
            server.start_again();
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        findings.add(&load.end().await);
    }
    eprintln!("{kills} kills: {findings:?}");
    assert!(findings.logouts > 0);
    assert_eq!((findings.lost, findings.undone), (0, 0));
}
