//! Loads sessions, and moves their end beside it.

use ::redis::{RedisResult, Value};

use super::super::{StoreError, Stored};
use super::link::Resend;
use super::text::{self, Standing};
use super::{RedisStore, refused, rotate, script};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

pub(super) async fn find(
    store: &RedisStore,
    key: StoreKey,
    now: Timestamp,
) -> Result<Option<Stored>, StoreError> {
    loop {
        let mut command = ::redis::cmd("GET");
        command.arg(store.session(key));
        let answer = store.link.ask(&command).await;
        if let Some(found) = found(store, key, answer, now).await? {
            return Ok(found);
        }
    }
}

/// Moves the end where that is due. The script is asked only where it may be: a plain `GET` costs the
/// server a fortieth (0.1 microseconds, where the script takes 4).
pub(super) async fn find_used(
    store: &RedisStore,
    key: StoreKey,
    lifetime: Lifetime,
    now: Timestamp,
) -> Result<Option<Stored>, StoreError> {
    let found = match store.ends.is_due(&key, lifetime, now) {
        Some(false) => find(store, key, now).await?,
        Some(true) | None => find_and_touch(store, key, lifetime, now).await?,
    };
    if let Some(found) = &found {
        store.ends.note(&key, found, lifetime);
    }
    Ok(found)
}

async fn find_and_touch(
    store: &RedisStore,
    key: StoreKey,
    lifetime: Lifetime,
    now: Timestamp,
) -> Result<Option<Stored>, StoreError> {
    let keys = [store.session(key)];
    let args = [
        text::instant(now),
        text::instant(lifetime.latest(now)),
        text::millis(lifetime.absolute.min(text::MOST)),
        text::millis(lifetime.least_move()),
        text::millis(text::GRACE),
        text::millis(text::MOST),
    ];
    let args = args.each_ref().map(String::as_str);
    loop {
        let run = store.link.run(&script::LOAD, &keys, &args, Resend::IfLost);
        let answer = run.await;
        if let Some(found) = found(store, key, answer, now).await? {
            return Ok(found);
        }
    }
}

/// The session that was found under a key; `None` if the caller has to ask again.
async fn found(
    store: &RedisStore,
    key: StoreKey,
    answer: RedisResult<Value>,
    now: Timestamp,
) -> Result<Option<Option<Stored>>, StoreError> {
    let Some(text) = text::found(answer.map_err(refused)?)? else {
        return Ok(Some(None));
    };
    Ok(match Standing::read(&text)? {
        Standing::Session(stored) => Some(Some(stored).filter(|stored| stored.is_live(now))),
        Standing::Pending(from) if rotate::has_come(store, key, &from, now).await? => None,
        Standing::Pending(_) | Standing::Moved(_) => Some(None),
    })
}
