//! Lists sessions by their owner, and keeps the marks; reads no session.
//!
//! The index of an owner is a sorted set of session keys, by the instant until when each is listed.
//! An entry is added before its session is stored, so that it may be stale and a session is never
//! missing; it says nothing until the session itself has been read.

use super::super::StoreError;
use super::RedisStore;
use super::script::{self, Reply};
use super::text::{self, UNLISTED};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::OwnerKey;

/// Sees to it that owners' indexes list a session that ends at `ends`; answers until when.
pub(super) async fn list(
    store: &RedisStore,
    owners: impl Iterator<Item = &str> + Send,
    key: StoreKey,
    ends: Timestamp,
    now: Timestamp,
) -> Result<String, StoreError> {
    let listed = text::listed_until(ends, now);
    let until = text::instant(listed);
    let (key, ttl) = (key.to_text(), text::kept(listed, now));
    let now = text::instant(now);
    for owner in owners {
        let args = [key.as_str(), &now, &until, &ttl];
        store
            .run(&script::LIST, &[store.index(owner)], &args)
            .await?;
    }
    Ok(until)
}

/// Takes a session that is gone out of its owners' indexes: `was` says until when it was listed,
/// and by whom. Nobody waits for it: what is left over is dropped once its time is past.
pub(super) fn unlist(store: &RedisStore, was: &[u8], key: StoreKey, now: Timestamp) {
    let (listed, owners) = was.split_at_checked(UNLISTED.len()).unwrap_or_default();
    let owners: Vec<_> = text::read_owners(owners).map(str::to_owned).collect();
    if owners.is_empty() {
        return;
    }
    let (store, listed) = (store.clone(), String::from_utf8_lossy(listed).into_owned());
    tokio::spawn(async move {
        let (session, now) = (key.to_text(), text::instant(now));
        for owner in owners {
            let mut keys = vec![store.index(&owner)];
            if store.is_one_slot() {
                keys.push(store.session(key));
            }
            let args = [session.as_str(), &listed, &now, &owner];
            drop(store.run(&script::UNLIST, &keys, &args).await);
        }
    });
}

pub(super) async fn set_mark(
    store: &RedisStore,
    owner: OwnerKey,
    at: Timestamp,
    until: Timestamp,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let args = [
        text::instant(at),
        text::instant(until),
        text::instant(now),
        since.map_or_else(|| "-".to_owned(), text::instant),
        text::millis(text::GRACE),
        text::millis(text::MOST),
    ];
    let args = args.each_ref().map(String::as_str);
    match store
        .run(&script::MARK, &[store.mark_of(owner)], &args)
        .await?
    {
        Reply::Done(at) => text::read_instant(&at).map(Some),
        Reply::Gone => Ok(None),
        _ => Err(text::foreign()),
    }
}

pub(super) async fn read_mark(
    store: &RedisStore,
    owner: OwnerKey,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut command = ::redis::cmd("GET");
    command.arg(store.mark_of(owner));
    let Some(mark) = text::found(store.ask(&command).await?)? else {
        return Ok(None);
    };
    let (at, until) = text::read_mark(&mark)?;
    Ok((now < until).then_some(at))
}
