//! On durable settings what was acknowledged survives the end of a server.

use std::time::Duration;

use sessile::RedisStore;
use tokio::task::block_in_place;

use crate::servers::redis::{Cluster, Redis};
use crate::support::load::{Findings, Load, app};
use crate::support::size;

const DEADLINE: Duration = Duration::from_secs(2);

/// What makes an answer durable.
const DURABLE: [&str; 6] = [
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

/// Visitors write and log out while the server is killed and started again: no acknowledged write is
/// lost, and no acknowledged logout undone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn what_was_acknowledged_survives_kill_9() {
    let kills = size(3, 200);
    let mut redis = Redis::with(&DURABLE);
    let app = app(RedisStore::open(&redis.url()).unwrap(), DEADLINE);
    let mut findings = Findings::default();
    for _ in 0..kills {
        let load = Load::start(&app, 8);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(200..600))).await;
        block_in_place(|| {
            redis.down();
            redis.up();
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        findings.add(&load.end().await);
    }
    eprintln!("{kills} kills: {findings:?}");
    assert!(findings.logouts > 0);
    assert_eq!((findings.lost, findings.undone), (0, 0));
}

/// The same where the server is one of a cluster's, each in turn.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn what_a_cluster_acknowledged_survives_kill_9_of_a_node() {
    let kills = size(3, 200);
    let mut cluster = Cluster::with(&DURABLE, 0);
    let app = app(RedisStore::open(&cluster.url()).unwrap(), DEADLINE);
    let mut findings = Findings::default();
    for kill in 0..kills {
        let load = Load::start(&app, 8);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(200..600))).await;
        block_in_place(|| {
            let node = &mut cluster.0[kill % 3];
            node.down();
            node.up();
            cluster.wait_until_whole();
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        findings.add(&load.end().await);
    }
    eprintln!("{kills} kills: {findings:?}");
    assert!(findings.logouts > 0);
    assert_eq!((findings.lost, findings.undone), (0, 0));
}
