//! The operations of the store, each by its statement; knows no file.

use deadpool_sqlite::rusqlite::{Row, params};

use super::super::bigint::{self, instant, millis, revision};
use super::super::{Answer, SessionStore, StoreError, Stored, Swap};
use super::SqliteStore;
use super::row::{NewRow, column, keyed, swap};
use super::run::{all, first, run};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

impl SessionStore for SqliteStore {
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
            // Who only may be due is read: a reader waits for no writer.
            let moved = if self.ends.is_due(&key, lifetime, now) == Some(true) {
                self.find_and_touch(key, lifetime, now).await?
            } else {
                None
            };
            let found = match moved {
                Some(moved) => Some(moved),
                None => self.find(key, now).await?,
            };
            if let Some(found) = &found {
                self.ends.note(&key, found, lifetime);
            }
            Ok(found)
        })
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(self.write(move |connection, sql| {
            let NewRow {
                revision,
                expires,
                created,
                owners,
                record,
            } = NewRow::of(&new);
            let values = params![
                key.as_bytes(),
                revision,
                expires,
                created,
                owners,
                record,
                millis(now)
            ];
            let inserted = first(connection, &sql.insert, values, |_| Ok(()))?;
            Ok(inserted.is_some())
        }))
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        let expires = new.expires;
        let swap = self.write(move |connection, sql| {
            let row = NewRow::of(&new);
            let values = params![
                key.as_bytes(),
                revision(expected),
                row.revision,
                row.expires,
                row.created,
                row.owners,
                row.record,
                millis(now)
            ];
            let swap = first(connection, &sql.replace, values, swap)?;
            Ok(swap.unwrap_or(Swap::Gone))
        });
        Answer::later(async move {
            let swap = swap.await?;
            if swap == Swap::Done {
                self.ends.moved(&key, expires);
            }
            Ok(swap)
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
        Answer::later(self.write(move |connection, sql| {
            let row = NewRow::of(&new);
            let values = params![
                from.as_bytes(),
                revision(expected),
                to.as_bytes(),
                row.revision,
                row.expires,
                row.created,
                row.owners,
                row.record,
                millis(now)
            ];
            let swap = first(connection, &sql.rotate, values, swap)?;
            Ok(swap.unwrap_or(Swap::Gone))
        }))
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        let touched = self.write(move |connection, sql| {
            let expected = revision(expected);
            let values = params![key.as_bytes(), expected, millis(expires), millis(now)];
            let touched = first(connection, &sql.touch, values, |_| Ok(()))?;
            Ok(touched.is_some())
        });
        Answer::later(async move {
            let is_live = touched.await?;
            if is_live {
                self.ends.moved(&key, expires);
            }
            Ok(is_live)
        })
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(self.write(move |connection, sql| {
            let values = params![key.as_bytes(), millis(now)];
            let lived = first(connection, &sql.remove, values, |row| column(row, "lived"))?;
            Ok(lived.unwrap_or(false))
        }))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        Answer::later(self.write(move |connection, sql| {
            let values = [millis(now), bigint::limit(limit)];
            let freed = run(connection, &sql.remove_expired, values)?;
            run(connection, &sql.remove_past, values)?;
            Ok(freed)
        }))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::later(self.read(move |connection, sql| {
            let values = params![owner.to_text(), millis(now)];
            all(connection, &sql.owned_by, values, keyed)
        }))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.write(move |connection, sql| {
            // Nobody who may mark in any case is before a mark.
            let since = since.unwrap_or(Timestamp::MAX);
            let [at, until, since, now] = [at, until, since, now].map(millis);
            let values = params![owner.to_text(), at, until, since, now];
            first(connection, &sql.mark, values, mark_of)
        }))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.read(move |connection, sql| {
            let values = params![owner.to_text(), millis(now)];
            first(connection, &sql.marked, values, mark_of)
        }))
    }
}

fn mark_of(row: &Row<'_>) -> Result<Timestamp, StoreError> {
    Ok(instant(column(row, "at")?))
}
