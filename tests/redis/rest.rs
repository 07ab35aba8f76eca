//! What the server keeps: no id and no token.

use std::collections::HashSet;

use crate::servers::redis::Redis;
use crate::support::{Visitor, size};
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
    let planted = planted(&ids);
    for (place, bytes) in places {
        for length in [24, 32] {
            for window in bytes.windows(length) {
                assert!(!planted.contains(window), "{}", place.display());
            }
        }
    }
    eprintln!("{} ids and tags in {stored} bytes: 0 hits", ids.len());
}

/// What must not be found of the tokens: the characters of ids and tags, the bytes of ids, and the hex
/// of both; the first 32 of each, 24 of bytes.
fn planted(tokens: &HashSet<String>) -> HashSet<Vec<u8>> {
    let hex = |bytes: &[u8]| -> Vec<u8> {
        let digits = bytes
            .iter()
            .flat_map(|byte| format!("{byte:02x}").into_bytes());
        digits.take(32).collect()
    };
    let mut planted = HashSet::new();
    for token in tokens {
        let (id, tag) = token.split_once('.').unwrap();
        let bytes = decode(id);
        planted.insert(hex(&bytes));
        planted.insert(bytes);
        planted.insert(hex(id.as_bytes()));
        planted.insert(id.replace('-', "+").replace('_', "/").into_bytes());
        planted.insert(id.into());
        planted.insert(tag.bytes().take(32).collect());
    }
    planted
}

fn decode(base64url: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte);
        u32::try_from(digit.unwrap()).unwrap()
    };
    let digits: Vec<u32> = base64url.bytes().map(digit).collect();
    let fours = digits
        .chunks(4)
        .map(|four| four.iter().fold(0, |sum, digit| sum << 6 | digit));
    fours
        .flat_map(|number: u32| number.to_be_bytes().into_iter().skip(1))
        .collect()
}
