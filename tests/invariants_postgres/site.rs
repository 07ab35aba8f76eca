//! Where a store meets PostgreSQL, with a proxy in between.

use std::sync::Arc;
use std::sync::Mutex;

use sessile::{PostgresStore, StoreKey};

use crate::faults::Site;
use crate::servers::postgres::{Frozen, Postgres};
use crate::servers::proxy::Proxy;

/// Replies that no statement of a store has: none of the protocol, or of another kind.
const WRONG: &[(&str, &[u8])] = &[
    ("no protocol", b"+OK\r\n"),
    ("no end", b"D\0\0\x10\0abc"),
    ("only the end", b"Z\0\0\0\x05I"),
    ("no rows, but parsed", b"1\0\0\0\x04Z\0\0\0\x05I"),
    ("a description of nothing", b"T\0\0\0\x06\0\0Z\0\0\0\x05I"),
    (
        "a row without columns",
        b"2\0\0\0\x04D\0\0\0\x06\0\0C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I",
    ),
    (
        "an error",
        b"E\0\0\0\x1cSERROR\0C55P03\0Mnot now\0\0Z\0\0\0\x05I",
    ),
    (
        "a server that shuts down",
        b"E\0\0\0\x1bSFATAL\0C57P01\0Mby now\0\0",
    ),
];

/// A server of its own, which can be frozen.
pub(crate) struct OwnServer {
    server: Postgres,
    frozen: Mutex<Option<Frozen>>,
}

impl OwnServer {
    pub(crate) async fn start() -> Self {
        let server = Postgres::start(&["max_connections=300"]);
        let site = Self {
            server,
            frozen: Mutex::default(),
        };
        site.direct().migrate().await.unwrap();
        site
    }
}

impl Site for OwnServer {
    type Store = PostgresStore;

    fn place(&self) -> (PostgresStore, Arc<Proxy>) {
        let proxy = Proxy::before(&[self.server.port()]);
        let url = format!(
            "postgres://postgres@127.0.0.1:{}/postgres",
            proxy.ports()[0]
        );
        (PostgresStore::from_url(&url).unwrap(), Arc::new(proxy))
    }

    fn direct(&self) -> PostgresStore {
        PostgresStore::from_url(&self.server.url()).unwrap()
    }

    fn freeze(&self) {
        *self.frozen.lock().unwrap() = Some(self.server.freeze());
    }

    fn thaw(&self) {
        *self.frozen.lock().unwrap() = None;
    }

    fn wrong_replies(&self) -> &'static [(&'static str, &'static [u8])] {
        WRONG
    }

    fn names(&self, key: StoreKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}
