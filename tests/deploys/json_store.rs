//! A store that keeps the JSON of records, as a database does, and lets a test look at it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use sessile::{
    Answer, OwnerKey, Record, Revision, SessionStore, StoreError, StoreKey, Stored, Swap, Timestamp,
};

#[derive(Default)]
pub(crate) struct JsonStore(Mutex<HashMap<StoreKey, Row>>);

struct Row {
    json: String,
    expires: Timestamp,
}

impl JsonStore {
    /// The JSON under a key.
    pub(crate) fn json(&self, key: &StoreKey) -> String {
        self.rows()[key].json.clone()
    }

    /// Puts a text where a record should be.
    pub(crate) fn put(&self, key: StoreKey, json: &str) {
        let (json, expires) = (json.to_owned(), Timestamp::MAX);
        self.rows().insert(key, Row { json, expires });
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<StoreKey, Row>> {
        self.0.lock().unwrap()
    }

    fn found(&self, key: StoreKey, now: Timestamp) -> Result<Option<Stored>, StoreError> {
        let rows = self.rows();
        let Some(row) = rows.get(&key).filter(|row| now < row.expires) else {
            return Ok(None);
        };
        let record = Record::from_json(row.json.as_bytes())?;
        let expires = row.expires;
        Ok(Some(Stored { record, expires }))
    }

    /// Puts `new` under `to` if `from` has the revision.
    fn swap(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let Some(stands) = self.found(from, now)? else {
            return Ok(Swap::Gone);
        };
        if stands.record.revision != expected {
            return Ok(Swap::Conflict(stands));
        }
        let mut rows = self.rows();
        rows.remove(&from);
        rows.insert(to, Row::of(new));
        Ok(Swap::Done)
    }
}

impl Row {
    fn of(stored: &Stored) -> Self {
        Self {
            json: stored.record.to_json(),
            expires: stored.expires,
        }
    }
}

impl SessionStore for JsonStore {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::now(self.found(key, now))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::now(self.found(key, now).map(|stands| {
            let is_free = stands.is_none();
            if is_free {
                self.rows().insert(key, Row::of(&new));
            }
            is_free
        }))
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::now(self.swap(key, expected, key, &new, now))
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::now(self.swap(from, expected, to, &new, now))
    }

    fn touch(
        &self,
        key: StoreKey,
        _expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        let mut rows = self.rows();
        let row = rows.get_mut(&key).filter(|row| now < row.expires);
        Answer::now(Ok(row.map(|row| row.expires = expires).is_some()))
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        let row = self.rows().remove(&key);
        Answer::now(Ok(row.is_some_and(|row| now < row.expires)))
    }

    fn remove_expired(&self, now: Timestamp, _limit: usize) -> Answer<'_, usize> {
        let mut rows = self.rows();
        let before = rows.len();
        rows.retain(|_, row| now < row.expires);
        Answer::now(Ok(before - rows.len()))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        let keys: Vec<_> = self.rows().keys().copied().collect();
        let found = keys
            .into_iter()
            .filter_map(|key| match self.found(key, now) {
                Ok(stored) => Some(Ok((key, stored?))),
                Err(error) => Some(Err(error)),
            });
        let found: Result<Vec<_>, _> = found.collect();
        Answer::now(found.map(|mut found| {
            found.retain(|(_, stored)| stored.record.owners.since(owner).is_some());
            found
        }))
    }

    fn mark(
        &self,
        _: OwnerKey,
        at: Timestamp,
        _: Timestamp,
        _: Option<Timestamp>,
        _: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Ok(Some(at)))
    }

    fn marked(&self, _: OwnerKey, _: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Ok(None))
    }
}
