//! Where a store meets Redis, with a proxy in between.

use std::sync::Arc;

use sessile::{RedisStore, StoreKey};

use crate::invariants::faults::Site;
use crate::servers::proxy::Proxy;
use crate::servers::redis::Redis;

/// Replies that no command of a store has: none of the protocol, or of another kind.
const WRONG: &[(&str, &[u8])] = &[
    ("no protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ("no end", b"$1000\r\nabc"),
    ("a status", b"+OK\r\n"),
    ("a number", b":42\r\n"),
    ("a truth", b"#f\r\n"),
    ("a map", b"%1\r\n+done\r\n:1\r\n"),
    ("an array of numbers", b"*2\r\n:1\r\n:2\r\n"),
    ("no record", b"$5\r\nhello\r\n"),
    ("an error", b"-ERR not now\r\n"),
    (
        "a server that loads",
        b"-LOADING Redis is loading the dataset in memory\r\n",
    ),
];

/// One server.
pub(crate) struct OneServer(pub(crate) Redis);

impl Site for OneServer {
    type Store = RedisStore;

    fn place(&self) -> (RedisStore, Arc<Proxy>) {
        let proxy = Proxy::before(&[self.0.port]);
        let url = format!("redis://127.0.0.1:{}", proxy.ports()[0]);
        (RedisStore::open(&url).unwrap(), Arc::new(proxy))
    }

    fn direct(&self) -> RedisStore {
        RedisStore::open(&self.0.url()).unwrap()
    }

    fn freeze(&self) {
        self.0.program().freeze();
    }

    fn thaw(&self) {
        self.0.program().thaw();
    }

    fn wrong_replies(&self) -> &'static [(&'static str, &'static [u8])] {
        WRONG
    }

    fn names(&self, key: StoreKey) -> Vec<u8> {
        format!("s:{}", key.to_text()).into_bytes()
    }
}
