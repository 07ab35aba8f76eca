//! Inserts, replaces, touches and removes sessions, each by one script.

use super::super::{StoreError, Stored, Swap};
use super::script::{self, Reply};
use super::text::{self, Parts, UNLISTED};
use super::{RedisStore, owners, rotate};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::Revision;

pub(super) async fn insert(
    store: &RedisStore,
    key: StoreKey,
    new: &Stored,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let parts = Parts::of(new);
    let listed = text::listed_until(new.expires, now);
    let mut until = text::instant(listed);
    let mut keys = vec![store.session(key)];
    let owners = text::read_owners(parts.owners.as_bytes());
    if store.is_one_slot() {
        keys.extend(owners.map(|owner| store.index(owner)));
    } else {
        until = owners::list(store, owners, key, new.expires, now).await?;
    }
    let until = parts.listed(&until).to_owned();
    let args = [
        text::instant(now),
        parts.join(&until),
        text::kept(new.expires, now),
        key.to_text(),
        until,
        text::kept(listed, now),
    ];
    let args = args.each_ref().map(String::as_str);
    let insert = &script::INSERT;
    let reply = rotate::decided(store, insert, &keys, key, &args, now).await?;
    reply.inserted()
}

pub(super) async fn replace(
    store: &RedisStore,
    key: StoreKey,
    expected: Revision,
    new: &Stored,
    now: Timestamp,
) -> Result<Swap, StoreError> {
    let parts = Parts::of(new);
    let (at, expected) = (text::instant(now), text::revision(expected));
    let ttl = text::kept(new.expires, now);
    let mut listed = UNLISTED.to_owned();
    loop {
        let args = [
            at.as_str(),
            &expected,
            &parts.ends,
            &listed,
            &parts.revision,
            &parts.owners,
            &parts.json,
            &ttl,
        ];
        let keys = [store.session(key)];
        match rotate::decided(store, &script::REPLACE, &keys, key, &args, now).await? {
            Reply::Unlisted(owners) => {
                let owners = text::read_owners(&owners);
                listed = owners::list(store, owners, key, new.expires, now).await?;
            }
            reply => return reply.swap(),
        }
    }
}

pub(super) async fn touch(
    store: &RedisStore,
    key: StoreKey,
    expected: Revision,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (at, ends) = (text::instant(now), text::instant(expires));
    let (expected, ttl) = (text::revision(expected), text::kept(expires, now));
    let mut listed = UNLISTED.to_owned();
    loop {
        let args = [at.as_str(), &expected, &ends, &listed, &ttl];
        let keys = [store.session(key)];
        match rotate::decided(store, &script::TOUCH, &keys, key, &args, now).await? {
            Reply::Done(_) => return Ok(true),
            Reply::Gone => return Ok(false),
            Reply::Unlisted(owners) => {
                let owners = text::read_owners(&owners);
                listed = owners::list(store, owners, key, expires, now).await?;
            }
            _ => return Err(text::foreign()),
        }
    }
}

pub(super) async fn remove(
    store: &RedisStore,
    key: StoreKey,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (keys, at) = ([store.session(key)], text::instant(now));
    match rotate::decided(store, &script::REMOVE, &keys, key, &[&at], now).await? {
        Reply::Done(was) => {
            owners::unlist(store, &was, key, now);
            Ok(true)
        }
        Reply::Gone => Ok(false),
        _ => Err(text::foreign()),
    }
}
