//! Moves a session to another key: in one step where both keys are in one slot, else in three.
//!
//! 1. The new session is stored, waiting: to everybody it is not there yet.
//! 2. The old key is compared and left: it now says where the session has gone. This decides.
//! 3. The new session waits no more.
//!
//! A reader that finds a waiting session looks at the key that it waits for, and carries out the third
//! step if the second has been taken. So a rotation that is cut short anywhere has happened or has not.

use std::time::Duration;

use super::super::{StoreError, Stored, Swap};
use super::script::{self, Reply};
use super::text::{self, Parts, Standing};
use super::{RedisStore, owners};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::Revision;

/// How long a session waits that nobody asks for, and how long an old key says where it has gone.
const UNDECIDED: Duration = Duration::from_mins(10);

/// A rotation.
pub(super) struct Move {
    pub(super) from: StoreKey,
    pub(super) expected: Revision,
    pub(super) to: StoreKey,
    pub(super) new: Stored,
    pub(super) now: Timestamp,
}

pub(super) async fn rotate(store: &RedisStore, it: &Move) -> Result<Swap, StoreError> {
    if store.is_one_slot() {
        move_within_a_slot(store, it).await
    } else {
        move_across_slots(store, it).await
    }
}

async fn move_within_a_slot(store: &RedisStore, it: &Move) -> Result<Swap, StoreError> {
    let (expected, parts) = (text::revision(it.expected), Parts::of(&it.new));
    let listed = text::listed_until(it.new.expires, it.now);
    let until = parts.listed(&text::instant(listed)).to_owned();
    let args = [
        text::instant(it.now),
        expected,
        parts.join(&until),
        text::kept(it.new.expires, it.now),
        it.to.to_text(),
        until,
        text::kept(listed, it.now),
    ];
    let mut keys = vec![store.session(it.from), store.session(it.to)];
    keys.extend(text::read_owners(parts.owners.as_bytes()).map(|owner| store.index(owner)));
    let args = args.each_ref().map(String::as_str);
    moved(store, it, store.run(&script::ROTATE, &keys, &args).await?)
}

async fn move_across_slots(store: &RedisStore, it: &Move) -> Result<Swap, StoreError> {
    if !put_waiting(store, it).await? {
        return Err(StoreError::Taken);
    }
    let args = [
        text::instant(it.now),
        text::revision(it.expected),
        it.to.to_text(),
        text::millis(UNDECIDED),
    ];
    let args = args.each_ref().map(String::as_str);
    let keys = [store.session(it.from)];
    let left = decided(store, &script::LEAVE, &keys, it.from, &args, it.now).await?;
    let from = it.from.to_text();
    let is_there = matches!(left, Reply::Done(_));
    let ended = end_wait(store, it.to, &from, is_there, it.now).await;
    // Whatever it is refused for, the rotation was not.
    ended.map_err(StoreError::unavailable)?;
    moved(store, it, left)
}

fn moved(store: &RedisStore, it: &Move, reply: Reply) -> Result<Swap, StoreError> {
    if let Reply::Done(was) = &reply {
        owners::unlist(store, was, it.from, it.now);
    }
    reply.swap()
}

/// `false` if the key is taken.
async fn put_waiting(store: &RedisStore, it: &Move) -> Result<bool, StoreError> {
    let parts = Parts::of(&it.new);
    let owners = text::read_owners(parts.owners.as_bytes());
    let until = owners::list(store, owners, it.to, it.new.expires, it.now).await?;
    let value = parts.join(parts.listed(&until));
    let args = [
        text::instant(it.now),
        format!("pending {} {value}", it.from.to_text()),
        text::millis(UNDECIDED),
    ];
    let args = args.each_ref().map(String::as_str);
    let keys = [store.session(it.to)];
    let insert = &script::INSERT;
    let reply = decided(store, insert, &keys, it.to, &args, it.now).await?;
    reply.inserted()
}

/// Runs a script on a session; one that waits for a rotation is there or not, by that first.
pub(super) async fn decided(
    store: &RedisStore,
    script: &script::Script,
    keys: &[String],
    key: StoreKey,
    args: &[&str],
    now: Timestamp,
) -> Result<Reply, StoreError> {
    loop {
        match store.run(script, keys, args).await? {
            Reply::Pending(from) if has_come(store, key, &from, now).await? => {}
            Reply::Pending(_) => return Ok(Reply::Gone),
            reply => return Ok(reply),
        }
    }
}

/// Ends the wait for the rotation from `from`, if that has been decided; `false` if it has not.
pub(super) async fn has_come(
    store: &RedisStore,
    key: StoreKey,
    from: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut command = ::redis::cmd("GET");
    command.arg(store.session_of(from));
    let Some(text) = text::found(store.ask(&command).await?)? else {
        return Ok(false);
    };
    match Standing::read(&text)? {
        Standing::Moved(to) if to == key.to_text() => {}
        _ => return Ok(false),
    }
    end_wait(store, key, from, true, now).await?;
    Ok(true)
}

/// Finds the key that a session has gone to, while its old key says so. A key says so from the step that decides
/// the rotation: one under which the session still lives, or waits itself, says nothing.
pub(super) async fn successor(
    store: &RedisStore,
    from: StoreKey,
) -> Result<Option<StoreKey>, StoreError> {
    if store.is_one_slot() {
        return Ok(None);
    }
    let mut command = ::redis::cmd("GET");
    command.arg(store.session(from));
    let Some(text) = text::found(store.ask(&command).await?)? else {
        return Ok(None);
    };
    let Standing::Moved(to) = Standing::read(&text)? else {
        return Ok(None);
    };
    let to = StoreKey::parse(to.as_bytes()).ok_or_else(text::foreign)?;
    Ok(Some(to))
}

async fn end_wait(
    store: &RedisStore,
    key: StoreKey,
    from: &str,
    is_there: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let keep = if is_there { "1" } else { "0" };
    let (now, most) = (text::instant(now), text::millis(text::MOST));
    let grace = text::millis(text::GRACE);
    let args = [now.as_str(), from, keep, &most, &grace];
    let keys = [store.session(key)];
    store.run(&script::SETTLE, &keys, &args).await?;
    Ok(())
}
