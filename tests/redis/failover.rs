//! A master ends and its replica takes its place: what that costs is measured. As replication is
//! asynchronous, what was acknowledged may be lost; nothing else may be wrong.

use std::time::{Duration, Instant};

use axum::Router;
use http::StatusCode;
use sessile::RedisStore;
use tokio::task::{JoinSet, block_in_place};

use crate::servers::redis::{Cluster, Redis, Sentinel};
use crate::support::load::{Load, app};
use crate::support::{Visitor, size};

const DEADLINE: Duration = Duration::from_secs(2);

/// Within this, everything works again by itself.
const HEALTHY: Duration = Duration::from_secs(30);

/// No write is taken while no replica has been heard for so long.
const WITH_A_REPLICA: [&str; 4] = [
    "--min-replicas-to-write",
    "1",
    "--min-replicas-max-lag",
    "2",
];

/// How a master ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Killed,
    /// It stands still, and comes back when another has its place.
    Frozen,
}

impl End {
    fn befalls(self, master: &mut Redis) {
        match self {
            Self::Killed => master.down(),
            Self::Frozen => master.program().freeze(),
        }
    }

    fn is_over(self, master: &mut Redis) {
        match self {
            Self::Killed => master.up(),
            Self::Frozen => master.program().thaw(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_failover_by_sentinels_is_measured() {
    let (none, lag) = (Duration::ZERO, Duration::from_millis(50));
    let variants = [
        (End::Killed, &[][..], none),
        (End::Killed, &WITH_A_REPLICA, none),
        (End::Killed, &[], lag),
        (End::Killed, &WITH_A_REPLICA, lag),
        (End::Frozen, &[], none),
        (End::Frozen, &WITH_A_REPLICA, none),
    ];
    for _ in 0..size(1, 5) {
        // Side by side, they take each other's time and no more.
        for pair in variants.chunks(2) {
            let mut running = JoinSet::new();
            for (end, options, lag) in pair {
                running.spawn(of_sentinels(*end, options, *lag));
            }
            running.join_all().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_failover_of_a_cluster_is_measured() {
    for end in [End::Killed, End::Frozen] {
        for _ in 0..size(1, 5) {
            of_cluster(end).await;
        }
    }
}

async fn of_sentinels(end: End, options: &[&str], lag: Duration) {
    let mut servers = block_in_place(|| Sentinel::with(options, 2, lag));
    let app = app(RedisStore::open(&servers.url()).unwrap(), DEADLINE);
    let load = begin(&app).await;
    end.befalls(&mut servers.master);
    block_in_place(|| servers.wait_for_failover());
    works(&app).await;
    // The old master is made a replica of the new one, and nobody takes its word any more.
    block_in_place(|| end.is_over(&mut servers.master));
    block_in_place(|| servers.master.wait_for(&["ROLE"], "slave"));
    works(&app).await;
    let findings = load.end().await;
    let switches = servers.switches();
    eprintln!(
        "sentinel, {end:?}, {options:?}, replicas {lag:?} behind, {switches} failovers: {findings:?}"
    );
    assert!(switches >= 1);
}

async fn of_cluster(end: End) {
    let mut cluster = block_in_place(|| Cluster::with(&["--save", ""], 1));
    let app = app(RedisStore::open(&cluster.url()).unwrap(), DEADLINE);
    let load = begin(&app).await;
    let master = &mut cluster.0[0];
    assert!(master.ask(&["ROLE"]).starts_with("master"));
    end.befalls(master);
    works(&app).await;
    block_in_place(|| end.is_over(&mut cluster.0[0]));
    block_in_place(|| cluster.0[0].wait_for(&["ROLE"], "slave"));
    works(&app).await;
    let findings = load.end().await;
    eprintln!("cluster, {end:?}: {findings:?}");
}

async fn begin(app: &Router) -> Load {
    works(app).await;
    let load = Load::start(app, 8);
    tokio::time::sleep(Duration::from_secs(1)).await;
    load
}

/// Waits until many new visitors one after another, who are on all nodes, are served at once.
async fn works(app: &Router) {
    let begun = Instant::now();
    let mut served = 0;
    while served < 30 {
        let answer = Visitor::new(app).get("/write").await;
        served = if answer.status == StatusCode::OK {
            served + 1
        } else {
            0
        };
        let waited = begun.elapsed();
        assert!(waited < HEALTHY, "still refused after {waited:?}");
    }
}
