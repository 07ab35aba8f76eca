//! Keeps sessions in this process: sharded, capped in count and bytes; knows no cookie, no clock.

mod index;
mod room;
mod shard;
mod shards;

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::index::Index;
use self::room::{Room, Use};
use self::shards::{FEWEST_SHARDS, Shards};
use super::{Answer, ExpressSessionStore, SessionStore, StoreError, Stored, Swap};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

const MAX_SESSIONS: usize = 1_000_000;
const MAX_BYTES: usize = 512 << 20;

/// How many shards a store that is full looks at for something that has expired, before it refuses.
const SHARDS_TO_ASK: usize = FEWEST_SHARDS;

/// How many sessions are freed at once: those of a whole shard would take up to five milliseconds.
const STEP: usize = 128;

/// After so many looks at an owner's sessions, what was found will do, though others were rotated
/// meanwhile: the sessions of an owner of very many never stand still.
const LOOKS: usize = 4096;

/// Keeps sessions in memory: for one process, until it ends.
///
/// A load is a lookup and one count of a shared record; no JSON is read or written. Sessions lie in
/// many shards with a lock each, so that requests of different visitors rarely meet.
///
/// The store is capped. When it is full it looks for sessions that have expired, to free them, and
/// where it finds none it answers [`StoreError::Full`]: it never evicts a live session. The same
/// holds for a session that grows past the cap of bytes; one that does not grow can always be written.
/// A sixteenth of both caps is kept for sessions that have an owner, so that a flood of anonymous ones
/// locks nobody out.
///
/// ```
/// use session_runtime::MemoryStore;
///
/// let store = MemoryStore::new().max_sessions(50_000).max_bytes(64 << 20);
/// # let _ = store;
/// ```
pub struct MemoryStore {
    shards: Shards,
    index: Index,
    room: Room,
}

impl MemoryStore {
    /// Makes an empty store for up to 1,000,000 sessions and 512 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: Shards::for_sessions(MAX_SESSIONS),
            index: Index::default(),
            room: Room::new(MAX_SESSIONS, MAX_BYTES),
        }
    }

    /// Sets how many sessions are kept at most, expired ones that were not freed yet included.
    #[must_use]
    pub fn max_sessions(mut self, max: usize) -> Self {
        self.room.max_sessions = max;
        let before = mem::replace(&mut self.shards, Shards::for_sessions(max));
        for (key, stored) in before.into_sessions() {
            self.shards.of(&key).put(key, stored);
        }
        self
    }

    /// Sets how many bytes the sessions may take, about.
    ///
    /// A session counts as its fields and about 260 bytes, which is what it takes at most: keys,
    /// dates, empty places of the map and the allocator's own share included; and for an owner as
    /// 512 bytes more. Marks are not counted: a revocation must not fail for want of room, and there
    /// is at most one for each owner, until it is past.
    #[must_use]
    pub fn max_bytes(mut self, max: usize) -> Self {
        self.room.max_bytes = max;
        self
    }

    /// How many sessions are kept, expired ones that were not freed yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.room.used().sessions
    }

    /// Whether no session is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn load_now(&self, key: &StoreKey, now: Timestamp) -> Option<Stored> {
        self.shards.of(key).live(key, now).cloned()
    }

    fn insert_now(&self, key: StoreKey, new: &Stored, now: Timestamp) -> Result<bool, StoreError> {
        let mut shard = self.shards.of(&key);
        let dead = match shard.get(&key) {
            Some(stands) if stands.is_live(now) => return Ok(false),
            dead => Use::of(dead),
        };
        self.room.exchange(dead, new)?;
        let dead = shard.put(key, new.clone());
        self.reindex(key, dead.as_ref(), Some(new));
        // Here and below: what is freed is freed after the lock.
        drop(shard);
        drop(dead);
        Ok(true)
    }

    fn replace_now(
        &self,
        key: &StoreKey,
        expected: Revision,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let mut shard = self.shards.of(key);
        let Some(stands) = shard.live_mut(key, now) else {
            return Ok(Swap::Gone);
        };
        if stands.record.revision != expected {
            return Ok(Swap::Conflict(stands.clone()));
        }
        self.room.exchange(Use::of([&*stands]), new)?;
        let old = mem::replace(stands, new.clone());
        shard.expect(new.expires);
        self.reindex(*key, Some(&old), Some(new));
        drop(shard);
        drop(old);
        Ok(Swap::Done)
    }

    fn rotate_now(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let (mut here, mut there) = self.shards.of_both(from, &to);
        let Some(stands) = here.live(from, now) else {
            return Ok(Swap::Gone);
        };
        if stands.record.revision != expected {
            return Ok(Swap::Conflict(stands.clone()));
        }
        let dead = match there.as_deref().unwrap_or(&here).get(&to) {
            Some(taken) if taken.is_live(now) => return Err(StoreError::Taken),
            dead => dead,
        };
        let before = Use::of([stands].into_iter().chain(dead));
        self.room.exchange(before, new)?;
        let old = here.remove(from);
        let dead = there
            .as_deref_mut()
            .unwrap_or(&mut here)
            .put(to, new.clone());
        // The new one first: who lists the owner's sessions meanwhile finds one of the two.
        self.reindex(to, dead.as_ref(), Some(new));
        self.reindex(*from, old.as_ref(), None);
        drop((here, there));
        drop((old, dead));
        Ok(Swap::Done)
    }

    fn touch_now(
        &self,
        key: &StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> bool {
        let mut shard = self.shards.of(key);
        let Some(stands) = shard.live_mut(key, now) else {
            return false;
        };
        if stands.record.revision != expected {
            return true;
        }
        stands.expires = expires;
        shard.expect(expires);
        true
    }

    fn remove_now(&self, key: &StoreKey, now: Timestamp) -> bool {
        let mut shard = self.shards.of(key);
        let old = shard.remove(key);
        self.reindex(*key, old.as_ref(), None);
        drop(shard);
        self.room.give_back(Use::of(&old));
        old.is_some_and(|old| old.is_live(now))
    }

    /// Tries again for as long as the store is full and something expired is found to be freed.
    fn with_room<T>(
        &self,
        now: Timestamp,
        attempt: impl Fn() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut result = attempt();
        for _ in 0..SHARDS_TO_ASK {
            if !matches!(result, Err(StoreError::Full)) {
                break;
            }
            let turn = self.next_turn();
            if self.sweep_some(turn, now, STEP) > 0 {
                result = attempt();
            }
        }
        result
    }

    fn next_turn(&self) -> usize {
        self.room.cursor.fetch_add(1, Ordering::Relaxed)
    }

    /// Frees up to `limit` expired sessions of the shard that has this turn, and says how many.
    fn sweep_some(&self, turn: usize, now: Timestamp, limit: usize) -> usize {
        let mut shard = self.shards.at_turn(turn);
        let dead = shard.sweep(now, limit);
        for (key, dead) in &dead {
            self.reindex(*key, Some(dead), None);
        }
        drop(shard);
        self.room
            .give_back(Use::of(dead.iter().map(|(_, dead)| dead)));
        dead.len()
    }

    fn owned_now(&self, owner: OwnerKey, now: Timestamp) -> Vec<(StoreKey, Stored)> {
        let mut found = Vec::new();
        let mut looks = 0;
        while looks < LOOKS {
            found.clear();
            let mut is_whole = true;
            let listed = self.index.sessions(owner);
            looks += listed.len().max(1);
            for key in listed {
                let shard = self.shards.of(&key);
                let stands = shard.get(&key);
                match stands.filter(|stored| stored.record.owners.since(owner).is_some()) {
                    Some(stored) if stored.is_live(now) => found.push((key, stored.clone())),
                    Some(_) => {}
                    // Gone since it was listed: rotated perhaps, and the next list says where to.
                    None => is_whole = false,
                }
            }
            if is_whole {
                break;
            }
        }
        found
    }

    /// Lists a session under its owners in the place of those it had. The caller holds its shard.
    fn reindex(&self, key: StoreKey, before: Option<&Stored>, after: Option<&Stored>) {
        let [before, after] = [before, after].map(|it| it.map(|stored| &stored.record.owners));
        self.index.exchange(key, before, after);
    }
}

/// For tests alone: no Express app finds sessions in the memory of this process.
impl ExpressSessionStore for MemoryStore {
    fn into_shared(self) -> Arc<dyn SessionStore> {
        Arc::new(self)
    }
}

impl SessionStore for MemoryStore {
    fn answers_at_once(&self) -> bool {
        true
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::now(Ok(self.load_now(&key, now)))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::now(Ok(self.shards.of(&key).load_and_touch(&key, lifetime, now)))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::now(self.with_room(now, || self.insert_now(key, &new, now)))
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::now(self.with_room(now, || self.replace_now(&key, expected, &new, now)))
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::now(self.with_room(now, || self.rotate_now(&from, expected, to, &new, now)))
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::now(Ok(self.touch_now(&key, expected, expires, now)))
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::now(Ok(self.remove_now(&key, now)))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        // By steps, so that a sweep of a full store holds up neither a request nor the thread.
        Answer::later(async move {
            let mut freed = 0;
            for part in 0..self.shards.len() {
                self.index.sweep(part, now);
                let turn = self.next_turn();
                loop {
                    let step = STEP.min(limit - freed);
                    let dead = self.sweep_some(turn, now, step);
                    freed += dead;
                    if freed == limit {
                        return Ok(freed);
                    }
                    tokio::task::yield_now().await;
                    if dead < step {
                        break;
                    }
                }
            }
            Ok(freed)
        })
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::now(Ok(self.owned_now(owner, now)))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Ok(self.index.mark(owner, at, until, since, now)))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Ok(self.index.marked(owner, now)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows counts, never a session.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Use { sessions, bytes } = self.room.used();
        f.debug_struct("MemoryStore")
            .field("sessions", &sessions)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
