//! What both floors do, and no less: a signed id in a cookie, and a sharded map of typed values. No
//! hash at rest, no expiry, no merge, no store but this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SHARDS: usize = 64;

pub(super) type Id = [u8; 16];

#[derive(Clone, Copy, Default)]
pub(super) struct Data {
    pub(super) page_views: u64,
    pub(super) user: u64,
}

#[derive(Clone)]
pub(super) struct Floor {
    key: Hmac<Sha256>,
    shards: Arc<[Mutex<HashMap<Id, Data>>]>,
}

impl Floor {
    pub(super) fn new() -> Self {
        Self {
            key: Hmac::new_from_slice(&[7; 32]).expect("a key of any length"),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    fn shard(&self, id: &Id) -> MutexGuard<'_, HashMap<Id, Data>> {
        let shard = &self.shards[usize::from(id[0]) % SHARDS];
        shard.lock().expect("nobody panics here")
    }

    fn tag(&self, id: &Id) -> Hmac<Sha256> {
        let mut tag = self.key.clone();
        tag.update(id);
        tag
    }

    /// The id that a request comes with, if its tag is right.
    pub(super) fn id(&self, headers: &HeaderMap) -> Option<Id> {
        let cookie = headers.get(COOKIE)?.to_str().ok()?;
        let token = cookie
            .split("; ")
            .find_map(|pair| pair.strip_prefix("sid="))?;
        let mut bytes = [0; 48];
        let bytes = Base64UrlUnpadded::decode(token, &mut bytes).ok()?;
        let (id, tag) = bytes.split_first_chunk()?;
        self.tag(id).verify_slice(tag).ok()?;
        Some(*id)
    }

    pub(super) fn new_id() -> Id {
        fastrand::u128(..).to_ne_bytes()
    }

    pub(super) fn load(&self, id: &Id) -> Option<Data> {
        self.shard(id).get(id).copied()
    }

    pub(super) fn store(&self, id: Id, data: Data) {
        self.shard(&id).insert(id, data);
    }

    pub(super) fn remove(&self, id: &Id) {
        self.shard(id).remove(id);
    }

    /// A cookie that the visitor is to keep.
    pub(super) fn set_cookie(&self, id: &Id) -> HeaderValue {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(id);
        bytes[16..].copy_from_slice(&self.tag(id).finalize().into_bytes());
        let mut token = [0; 64];
        let token = Base64UrlUnpadded::encode(&bytes, &mut token).expect("48 bytes are 64");
        let cookie = format!("sid={token}; Path=/; HttpOnly; Secure; SameSite=Lax");
        HeaderValue::try_from(cookie).expect("a cookie is a header")
    }
}
