//! A server that stands still, ends, comes back, or hands over to another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use http::StatusCode;
use sessile::{RedisStore, SessionStore};

use crate::servers::proxy::Fault;
use crate::servers::redis::{Cluster, Redis, Sentinel, reshard, url_of_cluster};
use crate::support::Visitor;
use crate::{fresh_key, layer, now, open, plain, routes};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_frozen_server_costs_the_deadline_and_no_more() {
    for deadline in [300, 800].map(Duration::from_millis) {
        let redis = Arc::new(Redis::start());
        let app = routes()
            .layer(Extension(Arc::clone(&redis)))
            .layer(layer(open(&redis)).store_timeout(deadline).build().unwrap());
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.get("/count").await.body, "1");

        let mut all = Vec::new();
        for path in ["/freeze", "/read", "/count", "/read", "/login"] {
            let begun = Instant::now();
            // By a timer that runs beside it, since a machine that has other things to do is late with
            // both.
            let timer = tokio::spawn(async move {
                tokio::time::sleep(deadline).await;
                begun.elapsed()
            });
            let answer = visitor.get(path).await;
            let took = begun.elapsed();
            all.push(took);
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            let most = if path == "/freeze" {
                // Its handler starts a program, which takes its time as well.
                2 * deadline
            } else {
                timer.await.unwrap() + Duration::from_millis(50)
            };
            assert!(took < most, "{path}: {took:?} of {most:?}");
        }
        eprintln!("with a deadline of {deadline:?}: {all:?}");

        redis.program().thaw();
        let now = visitor.get("/read").await;
        // The one write whose answer was not heard may have arrived.
        assert!(matches!(now.body.as_str(), "1" | "2"), "{}", now.body);
        let before: u64 = visitor.get("/read").await.body.parse().unwrap();
        assert_eq!(visitor.get("/count").await.body, (before + 1).to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_server_that_was_killed_is_found_again_with_what_it_had_acknowledged() {
    let mut redis = Redis::with(&[
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]);
    let app = routes().layer(layer(open(&redis)).build().unwrap());
    let mut visitor = Visitor::new(&app);
    for round in 0..6_u64 {
        assert_eq!(visitor.get("/count").await.body, (round + 1).to_string());
        redis.down();
        if round % 2 == 0 {
            let answer = visitor.get("/count").await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        }
        redis.up();
    }
    assert_eq!(visitor.get("/read").await.body, "6");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn sentinels_lead_to_the_new_master() {
    for frozen in [false, true] {
        let mut servers = Sentinel::start();
        let store = RedisStore::open(&servers.url()).unwrap();
        let app = routes().layer(layer(store).build().unwrap());
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.get("/count").await.body, "1");
        servers.replicas[0].wait_for(&["DBSIZE"], "1");
        if frozen {
            servers.master.program().freeze();
        } else {
            servers.master.down();
        }
        assert_eq!(
            visitor.get("/count").await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        servers.wait_for_failover();
        let begun = Instant::now();
        let mut refused = 0;
        while visitor.get("/read").await.status != StatusCode::OK {
            refused += 1;
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
        eprintln!(
            "frozen: {frozen}: {refused} refused in {:?}",
            begun.elapsed()
        );
        assert_eq!(visitor.get("/count").await.body, "2");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_slot_that_moves_is_followed() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let app = routes().layer(layer(store).build().unwrap());
    let mut visitors: Vec<_> = (0..60).map(|_| Visitor::new(&app)).collect();
    for visitor in &mut visitors {
        assert_eq!(visitor.get("/count").await.body, "1");
    }
    let moving = std::thread::spawn({
        let (port, from, to) = (cluster.0[0].port, cluster.id(0), cluster.id(1));
        move || reshard(port, &from, &to, 1500)
    });
    let mut rounds = 1;
    while !moving.is_finished() {
        rounds += 1;
        for visitor in &mut visitors {
            let counted = visitor.get("/count").await;
            assert_eq!(counted.status, StatusCode::OK);
            assert_eq!(counted.body, rounds.to_string());
        }
    }
    moving.join().unwrap();
    eprintln!(
        "{} requests while 1,500 slots moved, none lost",
        rounds * 60
    );
    for visitor in &mut visitors {
        assert_eq!(visitor.get("/read").await.body, rounds.to_string());
    }
}

/// What is not there to be asked, or not now, names no node: it is no detour to one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_slot_that_moves_after_a_pause_is_followed() {
    let (cluster, proxy) = Cluster::behind_a_proxy();
    let store = RedisStore::open(&url_of_cluster(proxy.ports())).unwrap();
    let (key, session) = (fresh_key(), plain(1));
    store.insert(key, session.clone(), now()).await.unwrap();
    let owner = (0..3).find(|node| cluster.0[*node].ask(&["DBSIZE"]).trim() == "1");
    let moved = format!("-MOVED 0 127.0.0.1:{}\r\n", proxy.ports()[owner.unwrap()]);
    let moved: &'static [u8] = moved.leak().as_bytes();
    let name = key.to_text();
    proxy.set_for_next_with(name.as_bytes(), Fault::WrongReply(b"-TRYAGAIN not now\r\n"));
    let second = std::thread::spawn(move || {
        while !proxy.has_struck() {
            std::hint::spin_loop();
        }
        proxy.set_for_next_with(name.as_bytes(), Fault::WrongReply(moved));
        proxy
    });
    let found = store.load(key, now()).await;
    assert!(second.join().unwrap().has_struck());
    assert_eq!(found.unwrap(), Some(session));
}
