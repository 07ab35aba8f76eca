//! Where a store meets Redis, with a proxy in between.

use std::sync::Arc;
use std::time::Duration;

use sessile::{RedisStore, StoreKey};

use crate::faults::Site;
use crate::servers::proxy::Proxy;
use crate::servers::redis::{Cluster, Redis, url_of_cluster};

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

/// A cluster, each node of which is behind a proxy.
///
/// The nodes name one address each, so that a client is led to the proxies, or to no proxy, by all of
/// them: the direct store goes through the proxies too, and is asked while they pass everything.
pub(crate) struct ClusterBehindProxy {
    cluster: Cluster,
    proxy: Arc<Proxy>,
}

impl ClusterBehindProxy {
    pub(crate) fn start() -> Self {
        let (cluster, proxy) = Cluster::behind_a_proxy();
        let proxy = Arc::new(proxy);
        Self { cluster, proxy }
    }
}

impl Site for ClusterBehindProxy {
    type Store = RedisStore;

    fn place(&self) -> (RedisStore, Arc<Proxy>) {
        (self.direct(), Arc::clone(&self.proxy))
    }

    fn direct(&self) -> RedisStore {
        RedisStore::open(&url_of_cluster(self.proxy.ports())).unwrap()
    }

    fn freeze(&self) {
        for node in &self.cluster.0 {
            node.program().freeze();
        }
    }

    fn thaw(&self) {
        for node in &self.cluster.0 {
            node.program().thaw();
        }
        // They take each other for dead for a moment.
        self.cluster.wait_until_whole();
    }

    fn wrong_replies(&self) -> &'static [(&'static str, &'static [u8])] {
        WRONG
    }

    fn names(&self, key: StoreKey) -> Vec<u8> {
        format!("s:{}", key.to_text()).into_bytes()
    }

    /// Where callers give up sooner, it is the client that finds a node's connection dead: after two
    /// seconds.
    fn recovery(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn places_are_apart(&self) -> bool {
        false
    }
}
