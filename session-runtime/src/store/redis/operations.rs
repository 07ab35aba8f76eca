//! The operations of the store, in terms of what a command or a script does.

use super::super::{Answer, SessionStore, Stored, Swap};
use super::rotate::Move;
use super::{RedisStore, load, owned, owners, rotate, write};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

impl SessionStore for RedisStore {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::later(load::find(self, key, now))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::later(load::find_used(self, key, lifetime, now))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move { write::insert(self, key, &new, now).await })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { write::replace(self, key, expected, &new, now).await })
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
        Answer::later(async move { rotate::rotate(self, &it).await })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::later(write::touch(self, key, expected, expires, now))
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(write::remove(self, key, now))
    }

    /// Known on a cluster, for ten minutes: a rotation within one slot leaves nothing behind.
    fn successor(&self, from: StoreKey, _now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        Answer::later(rotate::successor(self, from))
    }

    /// The server does it.
    fn remove_expired(&self, _now: Timestamp, _limit: usize) -> Answer<'_, usize> {
        Answer::now(Ok(0))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::later(owned::find_owned(self, owner, now))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::later(owners::set_mark(self, owner, at, until, since, now))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::later(owners::read_mark(self, owner, now))
    }
}
