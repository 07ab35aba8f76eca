//! Two processes of the example `two_servers` on one store: what a visitor sees, whichever answers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "two_servers/client.rs"]
mod client;
#[path = "two_servers/faults.rs"]
mod faults;
mod servers;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Connection, ask};
use servers::Folder;
use servers::postgres::Postgres;
use servers::redis::{Cluster, Redis};
use support::{Example, size};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const WELCOME: &str = "Welcome to this page for the first time!";

/// How many requests there are at once.
const CROWD: usize = 200;

/// Two secrets in base64.
const SECRETS: [&str; 2] = [
    "rZHu5vlCm1nUQuPVPfZ2oCjrXM6dnSoqVWhSV6WXgd8=",
    "ZgK1PI8i7kzvZuEqiUE+q2S7yT5Us9VQe8DwO3jdkWE=",
];

/// A process on this store, with this secret.
fn start(store: &str, secret: &str) -> Example {
    let environment = [("SESSION_STORE", store), ("SESSION_SECRET", secret)];
    Example::start("two_servers", &environment)
}

/// Two processes that share a store and a secret.
fn pair(store: &str) -> [Example; 2] {
    [(); 2].map(|()| start(store, SECRETS[0]))
}

/// The count that a page shows.
fn count(page: &str) -> u64 {
    if page == WELCOME {
        return 1;
    }
    let rest = page.strip_prefix("You visited this page ");
    let number = rest.and_then(|rest| rest.strip_suffix(" times"));
    number.unwrap_or_else(|| panic!("{page}")).parse().unwrap()
}

/// A visitor of whom nobody has heard: the cookie.
async fn welcome(server: &Example) -> String {
    let first = ask(server.address, None).await.unwrap();
    assert_eq!((first.status, first.body.as_str()), (200, WELCOME));
    first.cookie()
}

/// What the next visit is told, by whichever server.
async fn visit(server: &Example, cookie: &str) -> u64 {
    let answer = ask(server.address, Some(cookie)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    count(&answer.body)
}

/// So many connections, half of them to each server; once all stand, one question on each, once. All
/// are answered 200; how long the slowest took.
async fn crowd(servers: &[Example; 2], many: usize, cookie: &str) -> Duration {
    let ready = Arc::new(Barrier::new(many));
    let mut crowd = JoinSet::new();
    for server in servers.iter().cycle().take(many) {
        let (address, cookie, ready) = (server.address, cookie.to_owned(), Arc::clone(&ready));
        crowd.spawn(async move {
            let connection = Connection::open(address).await.unwrap();
            ready.wait().await;
            let began = Instant::now();
            let answer = connection.get(Some(&cookie)).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            began.elapsed()
        });
    }
    crowd.join_all().await.into_iter().max().unwrap()
}

/// What a crowd at two servers leaves, and what each of them sees of the other. `asked` counts what
/// the store was asked to write.
async fn two_servers_lose_no_visit(store: &str, many: usize, asked: impl Fn() -> Option<u64>) {
    let servers = pair(store);
    let cookie = welcome(&servers[0]).await;
    let mut stands = 1;
    for _ in 0..20 {
        for server in &servers {
            stands += 1;
            assert_eq!(visit(server, &cookie).await, stands);
        }
    }
    for _ in 0..size(3, 50) {
        asked();
        let began = Instant::now();
        let slowest = crowd(&servers, many, &cookie).await;
        let took = began.elapsed();
        let writes = asked();
        stands += u64::try_from(many).unwrap() + 1;
        assert_eq!(visit(&servers[1], &cookie).await, stands);
        eprintln!(
            "{many} at once: +{many}, {many} times 200 in {took:?}, the slowest {slowest:?}, {} writes tried",
            writes.map_or("?".to_owned(), |writes| writes.to_string())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn two_servers_on_one_redis_lose_no_visit() {
    let redis = Redis::start();
    two_servers_lose_no_visit(&redis.url(), CROWD, || Some(scripts(&redis))).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn two_servers_on_one_cluster_lose_no_visit() {
    let cluster = Cluster::start();
    let asked = || Some(cluster.0.iter().map(scripts).sum());
    two_servers_lose_no_visit(&cluster.url(), CROWD, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn two_servers_on_one_postgres_lose_no_visit() {
    two_servers_lose_no_visit(&Postgres::shared().url(), CROWD, || None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_file_lose_no_visit() {
    let folder = Folder::new("two-servers");
    // Each of them waits for the disk, whatever else that has to do.
    let many = size(CROWD / 4, CROWD);
    two_servers_lose_no_visit(&file(&folder), many, || None).await;
}

/// The URL of a file in a folder.
fn file(folder: &Folder) -> String {
    format!("sqlite:{}", folder.path().join("sessions.db").display())
}

/// How many scripts a server has run since it was last asked.
fn scripts(redis: &Redis) -> u64 {
    let commands = redis.commands();
    let scripts = commands.iter().filter(|(name, _)| name == "evalsha");
    scripts.map(|(_, calls)| calls).sum()
}
