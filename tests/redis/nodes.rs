//! One node of a cluster ends that has no replica, and comes back: its sessions are refused meanwhile
//! and are there afterwards; the others' fate is the cluster's setting.

use std::time::{Duration, Instant};

use axum::Router;
use http::StatusCode;
use sessile::RedisStore;
use tokio::task::{JoinSet, block_in_place};

use crate::servers::redis::Cluster;
use crate::support::Visitor;
use crate::support::load::app;

const DEADLINE: Duration = Duration::from_secs(2);

/// How much later than its deadline an answer may come.
const GRACE: Duration = Duration::from_millis(50);

const VISITORS: usize = 60;

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps what was acknowledged, serves what it can.
const OPTIONS: [&str; 8] = [
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--cluster-require-full-coverage",
    "no",
];

struct Stage {
    cluster: Cluster,
    app: Router,
    /// Each has written once.
    visitors: Vec<Visitor>,
    /// How many of their sessions are on the first node.
    there: usize,
}

impl Stage {
    async fn new(options: &[&str]) -> Self {
        let cluster = Cluster::with(options, 0);
        let app = app(RedisStore::open(&cluster.url()).unwrap(), DEADLINE);
        let mut visitors: Vec<_> = (0..VISITORS).map(|_| Visitor::new(&app)).collect();
        for visitor in &mut visitors {
            assert_eq!(visitor.get("/write").await.status, StatusCode::OK);
        }
        let there = cluster.0[0].ask(&["DBSIZE"]).trim().parse().unwrap();
        assert!((1..VISITORS).contains(&there));
        Self {
            cluster,
            app,
            visitors,
            there,
        }
    }

    /// How many are refused who ask at once, each in time, by a timer that runs beside them; the
    /// others find what they stored.
    async fn refused(&self) -> usize {
        let begun = Instant::now();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(DEADLINE).await;
            begun.elapsed()
        });
        let mut asking = JoinSet::new();
        for visitor in self.visitors.clone() {
            asking.spawn(async move {
                let begun = Instant::now();
                (visitor.peek("/read").await, begun.elapsed())
            });
        }
        let (mut refused, mut slowest) = (0, Duration::ZERO);
        for (answer, took) in asking.join_all().await {
            slowest = slowest.max(took);
            if answer.status == StatusCode::OK {
                assert_eq!(answer.body, "1");
            } else {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                refused += 1;
            }
        }
        eprintln!("{refused} of {VISITORS} refused, the slowest after {slowest:?}");
        if slowest > DEADLINE {
            let deadline = timer.await.unwrap();
            assert!(slowest < deadline + GRACE, "{slowest:?} of {deadline:?}");
        }
        refused
    }

    /// Its sessions are refused in each round. The client looks anew where its slots are, and may have
    /// the others wait for that, some of them for too long; but not all of them, all the time.
    async fn loses_its_own(&self) {
        let mut others = Vec::new();
        for _ in 0..4 {
            let refused = self.refused().await;
            assert!(refused >= self.there, "{refused}");
            others.push(refused - self.there);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        eprintln!(
            "{} are there, of the others were refused {others:?}",
            self.there
        );
        let all = others.len() * (VISITORS - self.there);
        assert!(others.iter().sum::<usize>() < all, "{others:?}");
    }

    /// Waits until nobody is refused, and says how long.
    async fn recovers(&self) {
        let begun = Instant::now();
        while self.refused().await > 0 {
            assert!(begun.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(PAUSE).await;
        }
        let took = begun.elapsed();
        eprintln!("all are served again after {took:?}");
        let answer = Visitor::new(&self.app).get("/write").await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_node_that_ends_takes_its_own_sessions() {
    let mut stage = Stage::new(&OPTIONS).await;
    stage.cluster.0[0].down();
    stage.loses_its_own().await;
    block_in_place(|| stage.cluster.0[0].up());
    stage.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_node_that_stands_still_holds_up_its_own_sessions() {
    let stage = Stage::new(&OPTIONS).await;
    stage.cluster.0[0].program().freeze();
    stage.loses_its_own().await;
    stage.cluster.0[0].program().thaw();
    stage.recovers().await;
}

/// What Redis does unless told otherwise.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_cluster_that_wants_all_its_slots_refuses_everybody() {
    let mut stage = Stage::new(&OPTIONS[..6]).await;
    stage.cluster.0[0].down();
    let begun = Instant::now();
    while stage.refused().await < VISITORS {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(PAUSE).await;
    }
    let took = begun.elapsed();
    eprintln!("everybody is refused after {took:?}");
    block_in_place(|| stage.cluster.0[0].up());
    stage.recovers().await;
}
