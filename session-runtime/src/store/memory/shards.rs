//! All shards of the map: which one a key is in, and in which order they are locked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Stored;
use super::shard::Shard;
use crate::id::StoreKey;

/// How many sessions a shard of a full store holds, about: to look through them takes microseconds.
const SHARD_SESSIONS: usize = 2048;
pub(super) const FEWEST_SHARDS: usize = 64;
pub(super) const MOST_SHARDS: usize = 4096;

/// A power of two of them, so that choosing one is a mask.
pub(super) struct Shards(Box<[Mutex<Shard>]>);

impl Shards {
    /// Empty ones, for so many sessions.
    pub(super) fn for_sessions(sessions: usize) -> Self {
        let count = (sessions / SHARD_SESSIONS)
            .clamp(FEWEST_SHARDS, MOST_SHARDS)
            .next_power_of_two();
        Self((0..count).map(|_| Mutex::default()).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The shard of a key.
    pub(super) fn of(&self, key: &StoreKey) -> MutexGuard<'_, Shard> {
        self.lock(self.index(key))
    }

    /// The shards of two keys; no second one where they share it.
    pub(super) fn of_both(
        &self,
        a: &StoreKey,
        b: &StoreKey,
    ) -> (MutexGuard<'_, Shard>, Option<MutexGuard<'_, Shard>>) {
        let (a, b) = (self.index(a), self.index(b));
        if a == b {
            return (self.lock(a), None);
        }
        // In the order of the shards, so that two rotations never wait for each other.
        let first = self.lock(a.min(b));
        let second = self.lock(a.max(b));
        if a < b {
            (first, Some(second))
        } else {
            (second, Some(first))
        }
    }

    /// The shard whose turn it is, as turns go round.
    pub(super) fn at_turn(&self, turn: usize) -> MutexGuard<'_, Shard> {
        self.lock(turn & (self.0.len() - 1))
    }

    fn index(&self, key: &StoreKey) -> usize {
        // The last bytes: the first ones are the hash inside the shard.
        let [.., high, low] = *key.as_bytes();
        usize::from(u16::from_be_bytes([high, low])) & (self.0.len() - 1)
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        // Nothing panics between two steps of a change, so a poisoned shard is whole.
        self.0[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that is stored, live or not.
    pub(super) fn into_sessions(self) -> impl Iterator<Item = (StoreKey, Stored)> {
        let shards = self.0.into_iter().map(Mutex::into_inner);
        shards.flat_map(|shard| shard.unwrap_or_else(PoisonError::into_inner))
    }
}
