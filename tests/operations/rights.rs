//! What a store's user has to be allowed, and what a server with no room left refuses.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    PostgresStore, RedisStore, Secret, Session, SessionHandle, SessionLayer, merge, testing,
};

use crate::printed;
use crate::servers::postgres::Postgres;
use crate::servers::redis::{Cluster, Redis, Sentinel};
use crate::support::{TestClock, Visitor};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

/// Lets a user in by the line that the page prints.
fn let_in(redis: &Redis) {
    let line = printed("ACL SETUSER");
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(redis.ask(&words).trim(), "OK", "{line}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn redis_lets_a_store_do_all_with_the_rights_on_the_page() {
    let redis = Redis::start();
    let_in(&redis);
    let url = format!("redis://app:password@127.0.0.1:{}", redis.port);
    testing::conformance(RedisStore::open(&url).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_cluster_lets_a_store_do_all_with_the_rights_on_the_page() {
    let cluster = Cluster::start();
    for node in &cluster.0 {
        let_in(node);
    }
    let url = cluster.url().replace("//", "//app:password@");
    testing::conformance(RedisStore::open(&url).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn sentinels_lead_a_store_with_the_rights_on_the_page_to_their_master() {
    let servers = Sentinel::start();
    let_in(&servers.master);
    let url = servers.url().replace("//", "//app:password@");
    testing::conformance(RedisStore::open(&url).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn postgres_lets_a_store_do_all_with_the_rights_on_the_page() {
    let server = Postgres::start(&[]);
    let admin = PostgresStore::from_url(&server.url()).unwrap();
    admin.migrate().await.unwrap();
    let rights = printed("GRANT");
    server.connect().await.batch_execute(&rights).await.unwrap();
    let store = PostgresStore::from_url(&server.url_of("app")).unwrap();
    // There is nothing to do, which takes no right.
    store.migrate().await.unwrap();
    let client = store.pool().get().await.unwrap();
    let row = client.query_one("SHOW statement_timeout", &[]).await;
    assert_eq!(row.unwrap().get::<_, String>(0), "2s");
    drop(client);
    testing::conformance(store).await;
}

async fn count(mut visits: Session<Visits>) -> String {
    visits.count += 1;
    visits.count.to_string()
}

/// By `noeviction`, what is there stays, and can be read and ended.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_full_redis_refuses_writes_and_lets_visitors_read_and_leave() {
    let redis = Redis::with(&["--save", "", "--maxmemory", "2mb"]);
    let store = RedisStore::open(&redis.url()).unwrap();
    let clock = TestClock::new();
    let sessions = SessionLayer::builder(store, Secret::generate());
    let app = Router::new()
        .route("/count", get(count))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .layer(sessions.clock(clock.reader()).build().unwrap());
    let mut known = Visitor::new(&app);
    assert_eq!(known.get("/count").await.body, "1");
    let mut strangers = 0;
    while Visitor::new(&app).get("/count").await.status == StatusCode::OK {
        strangers += 1;
        assert!(strangers < 100_000);
    }
    assert_eq!(known.get("/read").await.body, "1");
    let refused = known.get("/count").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(known.get("/read").await.body, "1");
    // A touch that is due is refused, and the read is not.
    clock.advance(Duration::from_mins(2));
    assert_eq!(known.get("/read").await.body, "1");
    assert_eq!(known.get("/logout").await.status, StatusCode::OK);
    assert_eq!(known.get("/read").await.body, "0");
}
