//! Finds the sessions that an owner's index lists, and reads each.

use std::collections::{HashMap, HashSet};

use ::redis::Value;

use super::super::{StoreError, Stored};
use super::text::{self, Standing};
use super::{RedisStore, load};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::OwnerKey;

/// How many sessions are read by one command.
const AT_ONCE: usize = 64;

/// After so many lists, what was found will do, though others were rotated meanwhile.
const LOOKS: usize = 32;

/// Finds the sessions of an owner. Where one that is listed is gone, it may have been rotated: the
/// next list says where to.
pub(super) async fn find_owned(
    store: &RedisStore,
    owner: OwnerKey,
    now: Timestamp,
) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
    let (mut gone, mut found) = (HashSet::new(), HashMap::new());
    for _ in 0..LOOKS {
        found.clear();
        let known = gone.len();
        // All of them each time: what was not there is listed before it is stored, and the nodes of a
        // cluster are not asked at one instant. The one that it takes the place of may have been asked
        // later, and be gone as well.
        let listed = listed(store, owner, now).await?;
        for keys in listed.chunks(AT_ONCE) {
            look_at(store, keys, now, &mut found, &mut gone).await?;
        }
        if gone.len() == known {
            break;
        }
    }
    // One may have changed hands since it was listed.
    found.retain(|_, stored: &mut Stored| stored.record.owners.since(owner).is_some());
    Ok(found.into_iter().collect())
}

async fn look_at(
    store: &RedisStore,
    keys: &[StoreKey],
    now: Timestamp,
    found: &mut HashMap<StoreKey, Stored>,
    gone: &mut HashSet<StoreKey>,
) -> Result<(), StoreError> {
    let mut command = ::redis::cmd("MGET");
    for key in keys {
        command.arg(store.session(*key));
    }
    let Value::Array(texts) = store.ask(&command).await? else {
        return Err(text::foreign());
    };
    if texts.len() != keys.len() {
        return Err(text::foreign());
    }
    let mut waiting = Vec::new();
    for (key, text) in keys.iter().zip(texts) {
        let standing = text::found(text)?;
        match standing.map(|text| Standing::read(&text)).transpose()? {
            Some(Standing::Session(stored)) if stored.is_live(now) => {
                found.insert(*key, stored);
            }
            Some(Standing::Pending(from)) => waiting.push((*key, from)),
            _ => {
                gone.insert(*key);
            }
        }
    }
    // After the others, so that one that comes takes the place of what it was before.
    for (key, from) in waiting {
        if let Some(stored) = load::find(store, key, now).await? {
            if let Some(from) = StoreKey::parse(from.as_bytes()) {
                found.remove(&from);
            }
            found.insert(key, stored);
        }
    }
    Ok(())
}

async fn listed(
    store: &RedisStore,
    owner: OwnerKey,
    now: Timestamp,
) -> Result<Vec<StoreKey>, StoreError> {
    let mut command = ::redis::cmd("ZRANGEBYSCORE");
    command
        .arg(store.index(&owner.to_text()))
        .arg(text::instant(now))
        .arg("+inf");
    let Value::Array(listed) = store.ask(&command).await? else {
        return Err(text::foreign());
    };
    let mut keys = Vec::with_capacity(listed.len());
    for key in listed {
        let key = text::found(key)?.ok_or_else(text::foreign)?;
        keys.extend(StoreKey::parse(&key));
    }
    Ok(keys)
}
