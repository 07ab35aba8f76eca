//! `RedisStore` on real servers: the contract, its price, and what happens when they fail.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "redis/durable.rs"]
mod durable;
#[path = "redis/failover.rs"]
mod failover;
#[path = "redis/faults.rs"]
mod faults;
#[path = "redis/nodes.rs"]
mod nodes;
#[path = "redis/rest.rs"]
mod rest;
mod servers;
mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use servers::redis::{Cluster, Redis, Sentinel};
use sessile::{
    ID_BYTES, OwnerKey, Record, RedisStore, Revision, Secret, Session, SessionError, SessionHandle,
    SessionId, SessionLayer, SessionLayerBuilder, SessionStore, StoreError, StoreKey, Stored, Swap,
    Timestamp, merge,
};
use support::{TestClock, Visitor};

const HOUR: Duration = Duration::from_hours(1);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: String,
}

async fn count(mut visits: Session<Visits>) -> String {
    visits.count += 1;
    visits.count.to_string()
}

async fn login(session: SessionHandle) -> Result<(), SessionError> {
    let user = "ann".to_owned();
    session.insert(Account { user })
}

/// Changes the session, then freezes the server that has to store it.
async fn freeze(mut visits: Session<Visits>, Extension(redis): Extension<Arc<Redis>>) {
    visits.count += 1;
    redis.program().freeze();
}

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "untouched"))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route("/count", get(count))
        .route("/login", get(login))
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route("/freeze", get(freeze))
}

fn layer(store: impl SessionStore) -> SessionLayerBuilder<'static> {
    SessionLayer::builder(store, Secret::generate())
}

fn open(redis: &Redis) -> RedisStore {
    RedisStore::open(&redis.url()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn it_keeps_the_contract() {
    let redis = Redis::start();
    sessile::testing::conformance(open(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn it_keeps_the_contract_on_a_cluster() {
    let cluster = Cluster::start();
    sessile::testing::conformance(RedisStore::open(&cluster.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn it_keeps_the_contract_in_one_slot_of_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap().prefix("{shop}:");
    sessile::testing::conformance(store).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn it_keeps_the_contract_with_sentinels() {
    let sentinel = Sentinel::start();
    sessile::testing::conformance(RedisStore::open(&sentinel.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn owners_are_kept() {
    let redis = Redis::start();
    owners_find_their_sessions(open(&redis)).await;
    let owner = owned("account", 1).record.owners.keys().next().unwrap();
    let (store, now) = (open(&redis), now());
    store
        .mark(owner, now, now.plus(HOUR), None, now)
        .await
        .unwrap();
    // Nothing is left for ever.
    let keys = redis.ask(&["--scan"]);
    assert!(!keys.is_empty());
    for key in keys.lines() {
        let ttl: i64 = redis.ask(&["PTTL", key]).trim().parse().unwrap();
        assert!(ttl > 0, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn owners_are_kept_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    owners_find_their_sessions(store).await;
}

/// What each request asks of the server, by the server's own count: `evalsha` and what its scripts do.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_costs_what_is_promised() {
    let redis = Redis::start();
    let clock = TestClock::new();
    let app = routes().layer(layer(open(&redis)).clock(clock.reader()).build().unwrap());
    let mut warm = Visitor::new(&app);
    for path in ["/count", "/count", "/login", "/logout"] {
        warm.get(path).await;
    }
    clock.advance(Duration::from_mins(2));
    let mut touched = Visitor::new(&app);
    touched.get("/count").await;
    clock.advance(Duration::from_mins(2));
    touched.get("/read").await;
    redis.wait_for(&["INFO", "commandstats"], "cmdstat_zrem:");
    redis.commands();

    let mut visitor = Visitor::new(&app);
    for (path, asked, inside) in [
        ("/", "", ""),
        ("/read", "", ""),
        ("/count", "evalsha 1", "set 1"),
        ("/", "", ""),
        // What this process has not seen yet may be due for a touch.
        ("/read", "evalsha 1", "getrange 1"),
        ("/read", "get 1", ""),
        ("/count", "evalsha 1, get 1", "getrange 1, set 1"),
        (
            "/login",
            "evalsha 1, get 2",
            "del 1, getrange 2, pexpire 1, pttl 1, set 1, zadd 1, zremrangebyscore 1",
        ),
        ("/read", "evalsha 1", "getrange 1"),
        ("/count", "evalsha 1, get 1", "getrange 1, set 1"),
        ("/logout", "evalsha 2, get 1", "del 1, getrange 2, zrem 1"),
    ] {
        assert_eq!(visitor.get(path).await.status, StatusCode::OK);
        if path == "/logout" {
            redis.wait_for(&["INFO", "commandstats"], "cmdstat_zrem:");
        }
        let by_client = ["evalsha", "eval", "get", "mget", "zrangebyscore"];
        let counted = redis.commands();
        let (asked_for, by_scripts): (Vec<_>, Vec<_>) = counted
            .iter()
            .partition(|(name, _)| by_client.contains(&name.as_str()));
        let text = |commands: Vec<&(String, u64)>| {
            let each = commands
                .iter()
                .map(|(name, calls)| format!("{name} {calls}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let (asked_for, by_scripts) = (text(asked_for), text(by_scripts));
        eprintln!("{path}: {asked_for} ({by_scripts} by scripts)");
        assert_eq!(asked_for, asked, "{path}");
        assert_eq!(by_scripts, inside, "{path}");
    }

    // A touch that is due comes with the read.
    let counted = async || {
        touched.peek("/read").await;
        redis.commands()
    };
    let calls = |commands: &[(&str, u64)]| -> Vec<(String, u64)> {
        let each = commands.iter();
        each.map(|(name, calls)| ((*name).to_owned(), *calls))
            .collect()
    };
    assert_eq!(counted().await, calls(&[("get", 1)]));
    clock.advance(Duration::from_mins(2));
    let due = [
        ("evalsha", 1),
        ("getrange", 1),
        ("pexpire", 1),
        ("setrange", 1),
    ];
    assert_eq!(counted().await, calls(&due));
    assert_eq!(counted().await, calls(&[("get", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn stores_with_two_prefixes_do_not_see_each_other() {
    let redis = Redis::start();
    let [a, b] = ["a:", "b:"].map(|prefix| open(&redis).prefix(prefix));
    let (key, now) = (fresh_key(), now());
    let session = owned("account", 1);
    let owner = session.record.owners.keys().next().unwrap();
    assert!(a.insert(key, session.clone(), now).await.unwrap());
    a.mark(owner, now, now.plus(HOUR), None, now).await.unwrap();
    assert_eq!(b.load(key, now).await.unwrap(), None);
    assert_eq!(b.owned_by(owner, now).await.unwrap(), []);
    assert_eq!(b.marked(owner, now).await.unwrap(), None);
    assert!(!b.remove(key, now).await.unwrap());
    assert_eq!(a.load(key, now).await.unwrap(), Some(session));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_server_that_has_forgotten_the_scripts_is_told_them() {
    let redis = Redis::start();
    let app = routes().layer(layer(open(&redis)).build().unwrap());
    let mut visitor = Visitor::new(&app);
    for path in ["/count", "/count", "/login", "/count", "/renew", "/count"] {
        redis.ask(&["SCRIPT", "FLUSH"]);
        assert_eq!(visitor.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(visitor.get("/read").await.body, "4");
    redis.ask(&["SCRIPT", "FLUSH"]);
    visitor.get("/logout").await;
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn what_is_not_ours_is_an_error_and_stays() {
    let redis = Redis::start();
    let store = open(&redis);
    let (key, other, now) = (fresh_key(), fresh_key(), now());
    let (session, revision) = (plain(1), Revision::from_u64(1));
    store.insert(other, session.clone(), now).await.unwrap();
    let name = format!("sessile:s:{}", key.to_text());
    let name = name.as_str();
    for (put, get) in [
        (vec!["SET", name, "hello"], vec!["GET", name]),
        (
            vec!["SET", name, r#"{"cookie":{},"views":1}"#],
            vec!["GET", name],
        ),
        (vec!["SET", name, "1 2 3 - {}"], vec!["GET", name]),
        (
            vec!["RPUSH", name, "a", "b"],
            vec!["LRANGE", name, "0", "-1"],
        ),
        (vec!["HSET", name, "a", "b"], vec!["HGETALL", name]),
    ] {
        redis.ask(&["DEL", name]);
        redis.ask(&put);
        let before = redis.ask(&get);
        let end = now.plus(HOUR);
        unreadable(&store.load(key, now).await);
        unreadable(&store.insert(key, session.clone(), now).await);
        unreadable(&store.replace(key, revision, session.clone(), now).await);
        unreadable(
            &store
                .rotate(key, revision, fresh_key(), session.clone(), now)
                .await,
        );
        let expected = session.record.revision;
        unreadable(
            &store
                .rotate(other, expected, key, session.clone(), now)
                .await,
        );
        unreadable(&store.touch(key, revision, end, now).await);
        unreadable(&store.remove(key, now).await);
        assert_eq!(redis.ask(&get), before);
        assert_eq!(redis.ask(&["PTTL", name]).trim(), "-1");
    }
    assert_eq!(store.load(other, now).await.unwrap(), Some(session));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_full_server_refuses_new_sessions_and_says_so() {
    let redis = Redis::with(&["--save", "", "--maxmemory", "2mb"]);
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let (store, now) = (open(&redis), now());
    let text = "x".repeat(16 * 1024);
    let mut stored = Vec::new();
    let full = loop {
        let key = fresh_key();
        let session = session(&format!(r#""data":{{"a":{{"b":"{text}"}}}}"#));
        match store.insert(key, session, now).await {
            Ok(_) => stored.push(key),
            Err(error) => break error,
        }
        assert!(stored.len() < 1000);
    };
    assert!(matches!(full, StoreError::Full), "{full:?}");
    for key in stored {
        assert!(store.load(key, now).await.unwrap().is_some());
        assert!(store.remove(key, now).await.unwrap());
    }
}

async fn owners_find_their_sessions(store: RedisStore) {
    let now = now();
    let find = async |owner: OwnerKey, at: Timestamp| {
        let mut found = store.owned_by(owner, at).await.unwrap();
        found.sort_by_key(|(key, _)| *key);
        found
    };
    let (first, second) = (owned("account", 1), owned("account", 1));
    let ann = first.record.owners.keys().next().unwrap();
    let bob = owned("account", 2);
    let bobs_key = bob.record.owners.keys().next().unwrap();
    assert_eq!(find(ann, now).await, []);

    // Inserted, and rotated to.
    let (a, b, c) = (fresh_key(), fresh_key(), fresh_key());
    store.insert(a, first.clone(), now).await.unwrap();
    let anonymous = plain(1);
    store.insert(b, anonymous.clone(), now).await.unwrap();
    let swap = store.rotate(b, anonymous.record.revision, c, second.clone(), now);
    assert_eq!(swap.await.unwrap(), Swap::Done);
    let mut both = vec![(a, first.clone()), (c, second.clone())];
    both.sort_by_key(|(key, _)| *key);
    assert_eq!(find(ann, now).await, both);
    assert_eq!(find(bobs_key, now).await, []);

    // Given to another by a replacement, and back.
    let swap = store.replace(a, first.record.revision, bob.clone(), now);
    assert_eq!(swap.await.unwrap(), Swap::Done);
    assert_eq!(find(ann, now).await, [(c, second.clone())]);
    assert_eq!(find(bobs_key, now).await, [(a, bob.clone())]);
    let swap = store.replace(a, bob.record.revision, first.clone(), now);
    assert_eq!(swap.await.unwrap(), Swap::Done);
    assert_eq!(find(ann, now).await, both);

    assert!(store.remove(c, now).await.unwrap());

    // Touched and replaced far beyond the time that it was listed for.
    let (mut at, mut stands) = (now, first.clone());
    for number in 0..50_u64 {
        at = at.plus(Duration::from_mins(50));
        let ends = at.plus(HOUR);
        if number.is_multiple_of(2) {
            let expected = stands.record.revision;
            assert!(store.touch(a, expected, ends, at).await.unwrap());
            stands.expires = ends;
        } else {
            let expected = stands.record.revision;
            stands = Stored {
                expires: ends,
                ..owned("account", 1)
            };
            let swap = store.replace(a, expected, stands.clone(), at).await;
            assert_eq!(swap.unwrap(), Swap::Done);
        }
        assert_eq!(find(ann, at).await, [(a, stands.clone())], "{number}");
    }

    // Rotated away, and removed.
    let d = fresh_key();
    let third = Stored {
        expires: at.plus(HOUR),
        ..owned("account", 1)
    };
    let swap = store.rotate(a, stands.record.revision, d, third.clone(), at);
    assert_eq!(swap.await.unwrap(), Swap::Done);
    assert_eq!(find(ann, at).await, [(d, third)]);
    assert!(store.remove(d, at).await.unwrap());
    assert_eq!(find(ann, at).await, []);

    // Many.
    let mut many = Vec::new();
    for _ in 0..150 {
        let (key, session) = (fresh_key(), owned("account", 3));
        store.insert(key, session.clone(), now).await.unwrap();
        many.push((key, session));
    }
    many.sort_by_key(|(key, _)| *key);
    let owner = many[0].1.record.owners.keys().next().unwrap();
    assert_eq!(find(owner, now).await, many);
    assert_eq!(find(owner, now.plus(2 * HOUR)).await, []);
}

fn unreadable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(
        matches!(answer, Err(StoreError::Unreadable(_))),
        "{answer:?}"
    );
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn fresh_key() -> StoreKey {
    let bytes: [u8; ID_BYTES] = std::array::from_fn(|_| fastrand::u8(..));
    SessionId::from_bytes(bytes).key()
}

fn plain(number: u64) -> Stored {
    session(&format!(r#""data":{{"visits":{{"count":{number}}}}}"#))
}

/// A session of an owner who is told by a number.
fn owned(place: &str, owner: u8) -> Stored {
    let key = format!("{}A", (b'A' + owner) as char).repeat(21) + "A";
    let since = now().as_millis();
    session(&format!(
        r#""owner":{{"{place}":{{"key":"{key}","since":{since}}}}},"data":{{}}"#
    ))
}

fn session(members: &str) -> Stored {
    let (revision, created) = (fastrand::u64(..1 << 53), now().as_millis());
    let json = format!(r#"{{"v":1,"rev":{revision},"created":{created},{members}}}"#);
    Stored {
        record: Record::from_json(json.as_bytes()).unwrap(),
        expires: now().plus(HOUR),
    }
}
