//! Two stores that take turns: what one was told, the other has to know.

use std::sync::atomic::{AtomicUsize, Ordering};

use sessile::{
    Answer, OwnerKey, Revision, SessionStore, SqliteStore, StoreKey, Stored, Swap, Timestamp,
};

pub(crate) struct Two {
    stores: [SqliteStore; 2],
    turn: AtomicUsize,
}

impl Two {
    pub(crate) fn new(one: SqliteStore, other: SqliteStore) -> Self {
        Self {
            stores: [one, other],
            turn: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &SqliteStore {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl SessionStore for Two {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.next().load(key, now)
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.next().insert(key, new, now)
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.next().replace(key, expected, new, now)
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.next().rotate(from, expected, to, new, now)
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.next().touch(key, expected, expires, now)
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.next().remove(key, now)
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        self.next().successor(from, now)
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.next().remove_expired(now, limit)
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.next().owned_by(owner, now)
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.next().mark(owner, at, until, since, now)
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.next().marked(owner, now)
    }
}
