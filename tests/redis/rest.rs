//! What the server keeps: no id and no token.

use std::collections::HashSet;

use crate::servers::redis::Redis;
use crate::support::{Visitor, Wanted, size};
use crate::{layer, open, routes};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_id_and_no_token_is_in_the_server() {
    let redis = Redis::with(&["--appendonly", "yes"]);
    let monitor = redis.monitor();
    let app = routes().layer(layer(open(&redis)).build().unwrap());
    let mut ids = HashSet::new();
    for number in 0..size(1_000, 10_000) {
        let mut visitor = Visitor::new(&app);
        visitor.get("/count").await;
        ids.insert(visitor.cookie("__Host-sid").unwrap().to_owned());
        for path in ["/count", "/login", "/count", "/renew", "/logout"]
            .iter()
            .take(number % 6)
        {
            visitor.get(path).await;
            ids.extend(visitor.cookie("__Host-sid").map(str::to_owned));
        }
    }
    redis.ask(&["SAVE"]);
    let mut places = redis.files();
    let seen = monitor.lines(&redis);
    assert!(seen.lines().count() > ids.len(), "the monitor hears");
    places.push(("MONITOR".into(), seen.into_bytes()));
    let stored: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
    let wanted = Wanted::tokens(&ids);
    for (place, bytes) in places {
        assert_eq!(wanted.found_in(&bytes), [0; 0], "{}", place.display());
    }
    eprintln!("{} ids and tags in {stored} bytes: 0 hits", ids.len());
}
