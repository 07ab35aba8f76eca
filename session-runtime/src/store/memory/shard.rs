//! One part of the store's map, behind one lock; knows no cap and no other shard.

use std::collections::{HashMap, hash_map};
use std::hash::{BuildHasherDefault, Hasher};

use super::Stored;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

type Sessions = HashMap<StoreKey, Stored, BuildHasherDefault<KeyHasher>>;

/// Below this many places a map is not worth making smaller.
const SMALL: usize = 64;

/// Some of the sessions.
pub(super) struct Shard {
    sessions: Sessions,
    /// No session here ends before; so that a shard without expired ones is not searched for them.
    soonest: Timestamp,
}

impl Shard {
    /// What is stored under a key, live or not.
    pub(super) fn get(&self, key: &StoreKey) -> Option<&Stored> {
        self.sessions.get(key)
    }

    pub(super) fn live(&self, key: &StoreKey, now: Timestamp) -> Option<&Stored> {
        self.get(key).filter(|stored| stored.is_live(now))
    }

    /// A live session to be changed. Who moves its end says so to [`Shard::expect`].
    pub(super) fn live_mut(&mut self, key: &StoreKey, now: Timestamp) -> Option<&mut Stored> {
        let stored = self.sessions.get_mut(key)?;
        stored.is_live(now).then_some(stored)
    }

    /// A live session, whose end is moved where that is due.
    pub(super) fn load_and_touch(
        &mut self,
        key: &StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Option<Stored> {
        let stands = self.live_mut(key, now)?;
        if stands.record.idle.is_none() {
            let due = lifetime.due(stands.record.created, stands.expires, now);
            stands.expires = due.unwrap_or(stands.expires);
        }
        let stored = stands.clone();
        self.expect(stored.expires);
        Some(stored)
    }

    /// Learns that a session here ends at `expires`.
    pub(super) fn expect(&mut self, expires: Timestamp) {
        self.soonest = self.soonest.min(expires);
    }

    /// Stores, and hands out what stood there.
    pub(super) fn put(&mut self, key: StoreKey, stored: Stored) -> Option<Stored> {
        self.expect(stored.expires);
        self.sessions.insert(key, stored)
    }

    pub(super) fn remove(&mut self, key: &StoreKey) -> Option<Stored> {
        self.sessions.remove(key)
    }

    /// Takes out up to `limit` sessions that have expired.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: usize) -> Vec<(StoreKey, Stored)> {
        let dead = if now < self.soonest {
            Vec::new()
        } else {
            self.take_dead(now, limit)
        };
        let len = self.sessions.len();
        if self.sessions.capacity() > SMALL.max(len.saturating_mul(4)) {
            self.sessions.shrink_to(len * 2);
        }
        dead
    }

    fn take_dead(&mut self, now: Timestamp, limit: usize) -> Vec<(StoreKey, Stored)> {
        let mut soonest = Timestamp::MAX;
        let is_dead = |_: &StoreKey, stored: &mut Stored| {
            let live = stored.is_live(now);
            if live {
                soonest = soonest.min(stored.expires);
            }
            !live
        };
        let dead: Vec<_> = self.sessions.extract_if(is_dead).take(limit).collect();
        // At the limit the rest was not seen.
        if dead.len() < limit {
            self.soonest = soonest;
        }
        dead
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            sessions: Sessions::default(),
            soonest: Timestamp::MAX,
        }
    }
}

impl IntoIterator for Shard {
    type Item = (StoreKey, Stored);
    type IntoIter = hash_map::IntoIter<StoreKey, Stored>;

    fn into_iter(self) -> Self::IntoIter {
        self.sessions.into_iter()
    }
}

/// Takes the first eight bytes of a key as its hash.
///
/// That is safe because nobody chooses keys: a key is the SHA-256 of an id, which is uniform, and an
/// id reaches the store only if this server drew it and its tag verified. Even who could choose ids
/// would pay some 2^32 hashes for each pair that collides.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, key: &[u8]) {
        if let Some((first, _)) = key.split_first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length, which is always 32.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::record::Record;

    const END: Timestamp = Timestamp::from_millis(10);

    fn shard(sessions: u8) -> Shard {
        let mut shard = Shard::default();
        let json = br#"{"v":1,"rev":1,"created":0,"data":{}}"#;
        let record = Record::from_json(json).unwrap();
        for number in 0..sessions {
            let expires = Timestamp::from_millis(10 + u64::from(number));
            let record = record.clone();
            shard.put(
                SessionId::from_bytes([number; 24]).key(),
                Stored { record, expires },
            );
        }
        shard
    }

    #[test]
    fn a_sweep_gives_the_memory_of_a_map_that_shrank_a_lot_back() {
        let mut shard = shard(250);
        assert!(shard.sessions.capacity() >= 250);
        assert_eq!(shard.sweep(Timestamp::from_millis(250), 1000).len(), 241);
        assert!((9..64).contains(&shard.sessions.capacity()));
        assert_eq!(shard.sessions.len(), 9);
    }

    #[test]
    fn a_shard_is_searched_only_once_something_may_have_expired() {
        let mut shard = shard(3);
        assert_eq!(shard.soonest, END);
        assert!(shard.sweep(Timestamp::from_millis(9), 10).is_empty());
        assert_eq!(shard.sweep(END, 1).len(), 1);
        assert_eq!(shard.soonest, END);
        assert!(shard.sweep(END, 1).is_empty());
        assert_eq!(shard.soonest, Timestamp::from_millis(11));
        assert_eq!(shard.sweep(Timestamp::MAX, 10).len(), 2);
        assert_eq!(shard.soonest, Timestamp::MAX);
    }

    #[test]
    fn the_hash_is_in_the_key() {
        use std::hash::{BuildHasher, BuildHasherDefault};

        let key = SessionId::from_bytes([1; 24]).key();
        let hash = BuildHasherDefault::<KeyHasher>::default().hash_one(key);
        assert_eq!(hash.to_le_bytes(), key.as_bytes()[..8]);
    }
}
