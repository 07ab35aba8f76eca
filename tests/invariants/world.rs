//! A store, a clock, and every id that was drawn: enough to look at all that is stored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http::header::COOKIE;
use serde::de::DeserializeOwned;
use sessile::{
    ID_BYTES, Record, Secret, SessionId, SessionLayer, SessionLayerBuilder, SessionStore, Slice,
    StoreKey, Stored, Swap,
};

use crate::support::{Answer, TestClock};

pub(crate) const COOKIE_NAME: &str = "__Host-sid";

/// Long enough for hundreds of requests at once on a machine that has other things to do.
const STORE_TIMEOUT: Duration = Duration::from_secs(20);

/// One store and one clock, under as many layers as a test needs.
#[derive(Clone)]
pub(crate) struct World<S> {
    pub(crate) store: S,
    pub(crate) clock: TestClock,
    drawn: Arc<Mutex<Vec<StoreKey>>>,
}

impl<S: SessionStore + Clone> World<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            clock: TestClock::new(),
            drawn: Arc::default(),
        }
    }

    /// Begins a layer over `store`, which should be this world's own, wrapped or not.
    pub(crate) fn layer(&self, store: impl SessionStore) -> SessionLayerBuilder<'static> {
        self.layer_signed(store, secret())
    }

    /// Begins a layer that signs by a secret of its own.
    pub(crate) fn layer_signed(
        &self,
        store: impl SessionStore,
        secret: Secret,
    ) -> SessionLayerBuilder<'static> {
        let world = self.clone();
        SessionLayer::builder(store, secret)
            .store_timeout(STORE_TIMEOUT)
            .clock(self.clock.reader())
            .id_generator(move || world.draw())
    }

    /// Draws an id, and writes down its key.
    pub(crate) fn draw(&self) -> [u8; ID_BYTES] {
        let bytes = random_bytes();
        let key = SessionId::from_bytes(bytes).key();
        self.drawn.lock().unwrap().push(key);
        bytes
    }

    /// How many ids were drawn so far.
    pub(crate) fn drawn(&self) -> usize {
        self.drawn.lock().unwrap().len()
    }

    /// The keys of all ids drawn since there were `since` of them.
    pub(crate) fn keys_since(&self, since: usize) -> Vec<StoreKey> {
        self.drawn.lock().unwrap()[since..].to_vec()
    }

    /// What is stored under a key and alive.
    pub(crate) async fn find(&self, key: &StoreKey) -> Option<Stored> {
        let now = self.clock.now().into();
        self.store.load(*key, now).await.unwrap()
    }

    /// Whether the store remembers where a session was rotated to.
    pub(crate) async fn remembers_rotations(&self) -> bool {
        let (now, keys) = (self.clock.now(), [self.draw(), self.draw()]);
        let [from, to] = keys.map(|id| SessionId::from_bytes(id).key());
        let record = Record::from_json(br#"{"v":1,"rev":1,"created":1,"data":{}}"#).unwrap();
        let stored = Stored {
            expires: (now + Duration::from_hours(1)).into(),
            record,
        };
        let (now, revision) = (now.into(), stored.record.revision);
        assert!(self.store.insert(from, stored.clone(), now).await.unwrap());
        let rotated = self.store.rotate(from, revision, to, stored, now).await;
        assert_eq!(rotated.unwrap(), Swap::Done);
        let successor = self.store.successor(from, now).await.unwrap();
        self.store.remove(to, now).await.unwrap();
        successor.is_some()
    }

    /// Removes all that was stored under the ids drawn so far.
    pub(crate) async fn clean_up(&self) {
        let now = self.clock.now().into();
        for key in self.keys_since(0) {
            self.store.remove(key, now).await.unwrap();
        }
    }

    /// All that is stored and alive under ids drawn since there were `since` of them.
    pub(crate) async fn stored_since(&self, since: usize) -> Vec<(StoreKey, Stored)> {
        let mut found = Vec::new();
        for key in self.keys_since(since) {
            found.extend(self.find(&key).await.map(|stored| (key, stored)));
        }
        found
    }
}

pub(crate) fn secret() -> Secret {
    Secret::try_from(&[7; 32][..]).unwrap()
}

pub(crate) fn random_bytes() -> [u8; ID_BYTES] {
    std::array::from_fn(|_| fastrand::u8(..))
}

/// One field of a record; its default where it is not stored.
pub(crate) fn field<T: DeserializeOwned + Default>(record: &Record, slice: &str, key: &str) -> T {
    let raw = record.fields.get(Slice::Named(slice), key);
    raw.map_or_else(T::default, |raw| serde_json::from_slice(&raw).unwrap())
}

/// A request that carries a token, if any.
pub(crate) fn request(path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(COOKIE, format!("{COOKIE_NAME}={token}"));
    }
    request.body(Body::empty()).unwrap()
}

/// What an answer does to the session's cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CookieChange {
    Untouched,
    Set(String),
    Removed,
}

impl CookieChange {
    pub(crate) fn of(answer: &Answer) -> Self {
        let cookies = answer.set_cookies();
        assert!(cookies.len() < 2, "a session has one cookie: {cookies:?}");
        let Some(cookie) = cookies.first() else {
            return Self::Untouched;
        };
        let (pair, _) = cookie.split_once(';').unwrap();
        match pair.split_once('=').unwrap() {
            (COOKIE_NAME, "") => Self::Removed,
            (COOKIE_NAME, token) => Self::Set(token.to_owned()),
            _ => panic!("another cookie: {cookie}"),
        }
    }
}

/// Where the session of a token is stored.
pub(crate) fn key_of(token: &str) -> StoreKey {
    let (id, _) = token.split_once('.').unwrap();
    let digits: Vec<u32> = id.bytes().map(digit).collect();
    let mut bytes = [0; ID_BYTES];
    for (three, four) in bytes.chunks_mut(3).zip(digits.chunks(4)) {
        let number = four.iter().fold(0, |sum, digit| sum << 6 | digit);
        three.copy_from_slice(&number.to_be_bytes()[1..]);
    }
    SessionId::from_bytes(bytes).key()
}

/// A character of base64url as a number.
fn digit(character: u8) -> u32 {
    let digit = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => panic!("no base64url"),
    };
    digit.into()
}
