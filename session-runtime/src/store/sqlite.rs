//! Keeps sessions in a SQLite file, one statement for each operation; knows no cookie, no clock.

mod connect;
mod error;
mod names;
mod row;
mod schema;
mod sql;
mod turns;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use deadpool_sqlite::rusqlite::{Connection, Params, Row, params};
use deadpool_sqlite::{Pool, Status};

pub use self::error::SqliteConfigError;
use self::error::of_sqlite;
use self::names::Prefix;
use self::row::{NewRow, column, instant, keyed, millis, revision, span, stored, swap};
use self::sql::Statements;
use self::turns::Connections;
use super::ends::Ends;
use super::{Answer, SessionStore, StoreError, Stored, Swap};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

#[doc = include_str!("sqlite/store.md")]
///
/// # The SQL
///
/// The schema, which [`migrate`](Self::migrate) runs as one transaction. [`migration`](Self::migration)
/// has it with names of your own.
///
/// ```sql
#[doc = include_str!("sqlite/schema.sql")]
/// ```
///
/// [`load`](SessionStore::load):
///
/// ```sql
#[doc = include_str!("sqlite/sql/load.sql")]
/// ```
///
/// [`load_and_touch`](SessionStore::load_and_touch), where the end is due to move; else, and where this
/// moves none, it is `load`:
///
/// ```sql
#[doc = include_str!("sqlite/sql/load_and_touch.sql")]
/// ```
///
/// [`insert`](SessionStore::insert):
///
/// ```sql
#[doc = include_str!("sqlite/sql/insert.sql")]
/// ```
///
/// [`replace`](SessionStore::replace):
///
/// ```sql
#[doc = include_str!("sqlite/sql/replace.sql")]
/// ```
///
/// [`rotate`](SessionStore::rotate):
///
/// ```sql
#[doc = include_str!("sqlite/sql/rotate.sql")]
/// ```
///
/// [`touch`](SessionStore::touch):
///
/// ```sql
#[doc = include_str!("sqlite/sql/touch.sql")]
/// ```
///
/// [`remove`](SessionStore::remove):
///
/// ```sql
#[doc = include_str!("sqlite/sql/remove.sql")]
/// ```
///
/// [`remove_expired`](SessionStore::remove_expired), which alone is two statements:
///
/// ```sql
#[doc = include_str!("sqlite/sql/remove_expired.sql")]
#[doc = include_str!("sqlite/sql/remove_past.sql")]
/// ```
///
/// [`owned_by`](SessionStore::owned_by):
///
/// ```sql
#[doc = include_str!("sqlite/sql/owned_by.sql")]
/// ```
///
/// [`mark`](SessionStore::mark):
///
/// ```sql
#[doc = include_str!("sqlite/sql/mark.sql")]
/// ```
///
/// [`marked`](SessionStore::marked):
///
/// ```sql
#[doc = include_str!("sqlite/sql/marked.sql")]
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    connections: Connections,
    prefix: Prefix,
    statements: Arc<Statements>,
    ends: Arc<Ends>,
}

impl SqliteStore {
    /// Opens this file, or makes it, and [migrates](Self::migrate) it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it cannot be opened, or is no SQLite file.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let store = Self::of(Connections::opened(connect::pool(path.as_ref())));
        store.migrate().await?;
        Ok(store)
    }

    /// Keeps sessions in the file of this URL: `sqlite:app.db`, `sqlite:/var/lib/app.db`, or the same
    /// with `sqlite://`. What follows is the path as it is. Nothing is opened yet, nor migrated.
    ///
    /// # Errors
    ///
    /// [`SqliteConfigError::Url`] if it names no file, or has options.
    pub fn from_url(url: &str) -> Result<Self, SqliteConfigError> {
        let path = connect::path(url)?;
        Ok(Self::of(Connections::opened(connect::pool(path))))
    }

    /// Keeps sessions over this pool, which others may use too. Its connections stay as they are
    /// configured.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self::of(Connections::given(pool))
    }

    fn of(connections: Connections) -> Self {
        let prefix = Prefix::default();
        Self {
            connections,
            statements: Arc::new(Statements::new(&prefix)),
            prefix,
            ends: Arc::default(),
        }
    }

    /// Puts this before the names of tables, indexes and triggers; else `sessile_`. To be said before
    /// [`migrate`](Self::migrate).
    ///
    /// # Errors
    ///
    /// [`SqliteConfigError::Prefix`] if it is not up to 48 lowercase letters, digits and underscores,
    /// or begins with a digit or with `sqlite_`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Result<Self, SqliteConfigError> {
        self.prefix = Prefix::new(prefix.into())?;
        self.statements = Arc::new(Statements::new(&self.prefix));
        Ok(self)
    }

    /// Makes the tables, or brings them up to date.
    ///
    /// Where they are as this version needs them, it only reads. Many processes may call it at once: one
    /// does the work, the others wait for it. It touches no table of others, nor `user_version`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the file cannot be opened or written, or is no SQLite file.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let prefix = self.prefix.clone();
        let migrated = self.connections.write(move |connection| {
            let migrated = schema::migrate(connection, &prefix);
            migrated.map_err(of_sqlite)
        });
        migrated.await
    }

    /// The SQL that [`migrate`](Self::migrate) runs, for those who do so by hand. Run it as one
    /// transaction, between `BEGIN IMMEDIATE;` and `COMMIT;`.
    #[must_use]
    pub fn migration(&self) -> String {
        schema::sql(&self.prefix)
    }

    /// How many connections there are, and how many of them are not at work.
    #[must_use]
    pub fn status(&self) -> Status {
        self.connections.status()
    }

    async fn find(&self, key: StoreKey, now: Timestamp) -> Result<Option<Stored>, StoreError> {
        let found = self.read(move |connection, sql| {
            let values = params![key.as_bytes(), millis(now)];
            first(connection, &sql.load, values, stored)
        });
        found.await
    }

    /// The session, if its end was due to be moved.
    async fn find_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let moved = self.write(move |connection, sql| {
            let values = params![
                key.as_bytes(),
                millis(now),
                millis(lifetime.latest(now)),
                span(lifetime.absolute),
                span(lifetime.least_move())
            ];
            first(connection, &sql.load_and_touch, values, stored)
        });
        match moved.await {
            // Who only reads has lost nothing: the session ends when it would have.
            Err(StoreError::Full) => Ok(None),
            moved => moved,
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &Statements) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let statements = Arc::clone(&self.statements);
        let answer = self
            .connections
            .read(move |connection| work(connection, &statements));
        answer.await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &Statements) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let statements = Arc::clone(&self.statements);
        let answer = self
            .connections
            .write(move |connection| work(connection, &statements));
        answer.await
    }
}

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
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let values = [millis(now), limit];
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

/// Every row of a statement.
fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    of: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
    let mut rows = statement.query(values).map_err(of_sqlite)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(of_sqlite)? {
        found.push(of(row)?);
    }
    Ok(found)
}

/// The only row of a statement, if there is one.
fn first<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    of: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    // Stepped to its end: until then a statement that writes is not committed.
    Ok(all(connection, sql, values, of)?.pop())
}

/// How many rows a statement changes that answers none.
fn run(connection: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
    statement.execute(values).map_err(of_sqlite)
}

/// Shows the names and how many connections there are, never the path.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("prefix", &self.prefix)
            .field("connections", &self.status().size)
            .finish_non_exhaustive()
    }
}
