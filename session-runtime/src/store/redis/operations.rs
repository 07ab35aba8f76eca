//! The operations of the store, in terms of what a command or a script does.

use super::super::{Answer, SessionStore, Stored, Swap};
use super::RedisStore;
use super::rotate::Move;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

impl SessionStore for RedisStore {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::later(self.find(key, now))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::later(self.find_used(key, lifetime, now))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move { self.put_new(key, &new, now).await })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { self.swap(key, expected, &new, now).await })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        let it = Move {
            from,
            expected,
            to,
            new,
            now,
        };
        Answer::later(async move {
            if self.is_one_slot() {
                self.move_within_a_slot(&it).await
            } else {
                self.move_across_slots(&it).await
            }
        })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::later(self.move_end(key, expected, expires, now))
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(self.end(key, now))
    }

    /// The server does it.
    fn remove_expired(&self, _now: Timestamp, _limit: usize) -> Answer<'_, usize> {
        Answer::now(Ok(0))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::later(self.find_owned(owner, now))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.set_mark(owner, at, until, since, now))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.read_mark(owner, now))
    }
}
