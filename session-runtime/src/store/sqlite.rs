//! Keeps sessions in a SQLite file, one statement for each operation; knows no cookie, no clock.

mod connect;
mod error;
mod names;
mod operations;
mod row;
mod run;
mod schema;
mod sql;
mod turns;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use deadpool_sqlite::rusqlite::{Connection, params};
use deadpool_sqlite::{Pool, Status};

pub use self::error::SqliteConfigError;
use self::error::of_sqlite;
use self::names::Prefix;
use self::row::stored;
use self::run::first;
use self::sql::Statements;
use self::turns::Connections;
use super::bigint::{millis, span};
use super::ends::Ends;
use super::{StoreError, Stored};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

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
/// [`load`](crate::SessionStore::load):
///
/// ```sql
#[doc = include_str!("sqlite/sql/load.sql")]
/// ```
///
/// [`load_and_touch`](crate::SessionStore::load_and_touch), where the end is due to move; else, and where this
/// moves none, it is `load`:
///
/// ```sql
#[doc = include_str!("sqlite/sql/load_and_touch.sql")]
/// ```
///
/// [`insert`](crate::SessionStore::insert):
///
/// ```sql
#[doc = include_str!("sqlite/sql/insert.sql")]
/// ```
///
/// [`replace`](crate::SessionStore::replace):
///
/// ```sql
#[doc = include_str!("sqlite/sql/replace.sql")]
/// ```
///
/// [`rotate`](crate::SessionStore::rotate):
///
/// ```sql
#[doc = include_str!("sqlite/sql/rotate.sql")]
/// ```
///
/// [`touch`](crate::SessionStore::touch):
///
/// ```sql
#[doc = include_str!("sqlite/sql/touch.sql")]
/// ```
///
/// [`remove`](crate::SessionStore::remove):
///
/// ```sql
#[doc = include_str!("sqlite/sql/remove.sql")]
/// ```
///
/// [`remove_expired`](crate::SessionStore::remove_expired), which alone is two statements:
///
/// ```sql
#[doc = include_str!("sqlite/sql/remove_expired.sql")]
#[doc = include_str!("sqlite/sql/remove_past.sql")]
/// ```
///
/// [`owned_by`](crate::SessionStore::owned_by):
///
/// ```sql
#[doc = include_str!("sqlite/sql/owned_by.sql")]
/// ```
///
/// [`mark`](crate::SessionStore::mark):
///
/// ```sql
#[doc = include_str!("sqlite/sql/mark.sql")]
/// ```
///
/// [`marked`](crate::SessionStore::marked):
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

/// Shows the names and how many connections there are, never the path.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("prefix", &self.prefix)
            .field("connections", &self.status().size)
            .finish_non_exhaustive()
    }
}
