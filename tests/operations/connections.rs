//! How many connections a process has to its store, however many requests it serves.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    PostgresStore, RedisStore, Secret, Session, SessionLayer, SessionStore, SqliteStore, merge,
};
use tokio::task::JoinSet;

use crate::servers::Folder;
use crate::servers::postgres::Postgres;
use crate::servers::redis::{Cluster, Redis};
use crate::support::Visitor;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

/// Many visitors at once, each of whom writes twice.
async fn crowd(store: impl SessionStore) {
    // A disk that others keep busy is none of its concern.
    let patience = Duration::from_mins(1);
    let sessions = SessionLayer::builder(store, Secret::generate()).store_timeout(patience);
    let sessions = sessions.build().unwrap();
    let count = get(async |mut visits: Session<Visits>| visits.count += 1);
    let app = Router::new().route("/", count).layer(sessions);
    let mut crowd = JoinSet::new();
    for _ in 0..100 {
        let mut visitor = Visitor::new(&app);
        crowd.spawn(async move {
            for _ in 0..2 {
                assert_eq!(visitor.get("/").await.status, StatusCode::OK);
            }
        });
    }
    crowd.join_all().await;
}

/// Those of a server, without the one that asks.
fn connections(redis: &Redis) -> u32 {
    let info = redis.ask(&["INFO", "clients"]);
    let clients = info
        .lines()
        .find_map(|line| line.strip_prefix("connected_clients:"));
    clients.unwrap().trim().parse::<u32>().unwrap() - 1
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_process_has_one_connection_to_redis() {
    let redis = Redis::start();
    let store = RedisStore::open(&redis.url()).unwrap();
    crowd(store.clone()).await;
    assert_eq!(connections(&redis), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_process_has_one_connection_to_each_master_of_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    crowd(store.clone()).await;
    let connections: Vec<_> = cluster.0.iter().map(connections).collect();
    assert_eq!(connections, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_process_has_at_most_16_connections_to_postgres() {
    let server = Postgres::start(&[]);
    let store = PostgresStore::from_url(&server.url()).unwrap();
    store.migrate().await.unwrap();
    crowd(store.clone()).await;
    let others = "SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let row = server.connect().await.query_one(others, &[]).await.unwrap();
    let connections: i64 = row.get(0);
    assert!((1..=16).contains(&connections), "{connections}");
    assert_eq!(store.pool().status().max_size, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_at_most_8_connections_to_a_file() {
    let folder = Folder::new("connections");
    let store = SqliteStore::open(folder.path().join("sessions.db"))
        .await
        .unwrap();
    crowd(store.clone()).await;
    let status = store.status();
    assert_eq!(status.max_size, 8);
    assert!((1..=8).contains(&status.size), "{status:?}");
}
