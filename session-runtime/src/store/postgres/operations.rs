//! The operations of the store, each by its statement; knows no connection.

use deadpool_postgres::tokio_postgres::Row;

use super::super::{Answer, SessionStore, StoreError, Stored, Swap, bigint};
use super::PostgresStore;
use super::row::{NewRow, Value, column, keyed, swap};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

impl SessionStore for PostgresStore {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::later(self.find(key, now))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::later(async move {
            let found = match self.ends.is_due(&key, lifetime, now) {
                Some(false) => self.find(key, now).await?,
                Some(true) | None => self.find_and_touch(key, lifetime, now).await?,
            };
            if let Some(found) = &found {
                self.ends.note(&key, found, lifetime);
            }
            Ok(found)
        })
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move {
            let row = NewRow::of(&new);
            let [revision, expires, created, owners, record] = row.values();
            let (key, now) = (key.into(), now.into());
            let values = [key, revision, expires, created, owners, record, now];
            let rows = self.run(&self.statements.insert, &values).await?;
            Ok(!rows.is_empty())
        })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move {
            let row = NewRow::of(&new);
            let [revision, expires, created, owners, record] = row.values();
            let (key, expected, now) = (key.into(), expected.into(), now.into());
            let values = [
                key, expected, revision, expires, created, owners, record, now,
            ];
            let rows = self.run(&self.statements.replace, &values).await?;
            swap(&rows)
        })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move {
            let row = NewRow::of(&new);
            let [revision, expires, created, owners, record] = row.values();
            let (from, expected, to, now) = (from.into(), expected.into(), to.into(), now.into());
            let values = [
                from, expected, to, revision, expires, created, owners, record, now,
            ];
            let rows = self.run(&self.statements.rotate, &values).await?;
            swap(&rows)
        })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::later(async move {
            let values = [key.into(), expected.into(), expires.into(), now.into()];
            let rows = self.run(&self.statements.touch, &values).await?;
            Ok(!rows.is_empty())
        })
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move {
            let values = [key.into(), now.into()];
            let rows = self.run(&self.statements.remove, &values).await?;
            rows.first().map_or(Ok(false), |row| column(row, "lived"))
        })
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        Answer::later(async move {
            let values = [now.into(), Value::Number(bigint::limit(limit))];
            let rows = self.run(&self.statements.remove_expired, &values).await?;
            let freed: i64 = rows.first().map_or(Ok(0), |row| column(row, "freed"))?;
            Ok(usize::try_from(freed).unwrap_or(0))
        })
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::later(async move {
            let values = [owner.into(), now.into()];
            let rows = self.run(&self.statements.owned_by, &values).await?;
            rows.iter().map(keyed).collect()
        })
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::later(async move {
            // Nobody who may mark in any case is before a mark.
            let since = since.unwrap_or(Timestamp::MAX);
            let values = [
                owner.into(),
                at.into(),
                until.into(),
                since.into(),
                now.into(),
            ];
            let rows = self.run(&self.statements.mark, &values).await?;
            mark_of(&rows)
        })
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::later(async move {
            let values = [owner.into(), now.into()];
            let rows = self.run(&self.statements.marked, &values).await?;
            mark_of(&rows)
        })
    }
}

fn mark_of(rows: &[Row]) -> Result<Option<Timestamp>, StoreError> {
    let at = rows.first().map(|row| column(row, "at"));
    Ok(at.transpose()?.map(bigint::instant))
}
