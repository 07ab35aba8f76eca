//! Keeps sessions in PostgreSQL, one statement for each operation; knows no cookie, no clock.

mod connect;
mod error;
mod lease;
mod names;
mod operations;
mod row;
mod schema;
mod sql;

use std::fmt;
use std::sync::Arc;

use deadpool_postgres::Pool;
use deadpool_postgres::tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use deadpool_postgres::tokio_postgres::types::ToSql;
use deadpool_postgres::tokio_postgres::{NoTls, Row, Socket, config::SslMode};

pub use self::error::PostgresConfigError;
use self::lease::Lease;
use self::names::Names;
use self::row::{Value, stored};
use self::sql::{Sql, Statements};
use super::ends::Ends;
use super::{StoreError, Stored};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

#[doc = include_str!("postgres/store.md")]
///
/// # The SQL
///
/// The schema, which [`migrate`](Self::migrate) runs as one transaction. [`migration`](Self::migration)
/// has it with names of your own.
///
/// ```sql
#[doc = include_str!("postgres/schema.sql")]
/// ```
///
/// [`load`](crate::SessionStore::load):
///
/// ```sql
#[doc = include_str!("postgres/sql/load.sql")]
/// ```
///
/// [`load_and_touch`](crate::SessionStore::load_and_touch):
///
/// ```sql
#[doc = include_str!("postgres/sql/load_and_touch.sql")]
/// ```
///
/// [`insert`](crate::SessionStore::insert):
///
/// ```sql
#[doc = include_str!("postgres/sql/insert.sql")]
/// ```
///
/// [`replace`](crate::SessionStore::replace):
///
/// ```sql
#[doc = include_str!("postgres/sql/replace.sql")]
/// ```
///
/// [`rotate`](crate::SessionStore::rotate):
///
/// ```sql
#[doc = include_str!("postgres/sql/rotate.sql")]
/// ```
///
/// [`touch`](crate::SessionStore::touch):
///
/// ```sql
#[doc = include_str!("postgres/sql/touch.sql")]
/// ```
///
/// [`remove`](crate::SessionStore::remove):
///
/// ```sql
#[doc = include_str!("postgres/sql/remove.sql")]
/// ```
///
/// [`remove_expired`](crate::SessionStore::remove_expired):
///
/// ```sql
#[doc = include_str!("postgres/sql/remove_expired.sql")]
/// ```
///
/// [`owned_by`](crate::SessionStore::owned_by):
///
/// ```sql
#[doc = include_str!("postgres/sql/owned_by.sql")]
/// ```
///
/// [`mark`](crate::SessionStore::mark):
///
/// ```sql
#[doc = include_str!("postgres/sql/mark.sql")]
/// ```
///
/// [`marked`](crate::SessionStore::marked):
///
/// ```sql
#[doc = include_str!("postgres/sql/marked.sql")]
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    names: Names,
    statements: Arc<Statements>,
    prepares: bool,
    ends: Arc<Ends>,
}

impl PostgresStore {
    /// Keeps sessions over this pool, which others may use too.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        let names = Names::default();
        Self {
            statements: Arc::new(Statements::new(&names)),
            pool,
            names,
            prepares: true,
            ends: Arc::default(),
        }
    }

    /// Keeps sessions at this URL, over up to 16 connections without TLS. None is opened yet.
    ///
    /// `connect_timeout` and `tcp_user_timeout` are 5 seconds unless the URL says otherwise.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError`] if it is no PostgreSQL URL, or one with `sslmode=require`.
    pub fn from_url(url: &str) -> Result<Self, PostgresConfigError> {
        let config = connect::config(url)?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(PostgresConfigError::NeedsTls);
        }
        Ok(Self::new(connect::pool(config, NoTls)))
    }

    /// As [`from_url`](Self::from_url), with a connector for TLS, as of `tokio-postgres-rustls`.
    ///
    /// The connector is used where the URL has `sslmode=require`, or `prefer` and a server that
    /// speaks TLS.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError`] if it is no PostgreSQL URL.
    pub fn from_url_with_tls<T>(url: &str, tls: T) -> Result<Self, PostgresConfigError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Ok(Self::new(connect::pool(connect::config(url)?, tls)))
    }

    /// Keeps the tables in this schema; else in `sessile`.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError::Schema`] if it is not 1 to 63 lowercase letters, digits and
    /// underscores, or begins with a digit.
    pub fn schema(mut self, name: impl Into<String>) -> Result<Self, PostgresConfigError> {
        self.names = self.names.in_schema(name.into())?;
        self.statements = Arc::new(Statements::new(&self.names));
        Ok(self)
    }

    /// Puts this before the names of tables and indexes; else nothing.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError::Prefix`] if it is not up to 48 lowercase letters, digits and
    /// underscores, or begins with a digit.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Result<Self, PostgresConfigError> {
        self.names = self.names.with_prefix(prefix.into())?;
        self.statements = Arc::new(Statements::new(&self.names));
        Ok(self)
    }

    /// Prepares no statements, for a proxy that gives each transaction another connection and does not
    /// follow them: PgBouncer before 1.21 with `pool_mode = transaction`.
    ///
    /// The server then plans each statement anew.
    #[must_use]
    pub fn unprepared(mut self) -> Self {
        self.prepares = false;
        self
    }

    /// Makes the tables, or brings them up to date.
    ///
    /// Where they are as this version needs them, it is one read and asks for no rights. Many processes
    /// may call it at once: one does the work, the others wait for it. It has no deadline of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the server cannot be reached, or does not let this user make
    /// tables.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let lease = Lease::of(&self.pool).await?;
        let migrated = schema::migrate(lease.client(), &self.names).await;
        lease.give_back();
        migrated
    }

    /// The SQL that [`migrate`](Self::migrate) runs, for those who do so by hand. Run it as one
    /// transaction (`psql --single-transaction`).
    #[must_use]
    pub fn migration(&self) -> String {
        schema::sql(&self.names)
    }

    /// The pool, to look at it, to close it, or for other uses.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn find(&self, key: StoreKey, now: Timestamp) -> Result<Option<Stored>, StoreError> {
        let values = [key.into(), now.into()];
        let rows = self.run(&self.statements.load, &values).await?;
        rows.first().map(stored).transpose()
    }

    async fn find_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let values = [
            key.into(),
            now.into(),
            lifetime.latest(now).into(),
            lifetime.absolute.into(),
            lifetime.least_move().into(),
        ];
        let rows = self.run(&self.statements.load_and_touch, &values).await?;
        rows.first().map(stored).transpose()
    }

    /// Runs one statement, once.
    async fn run(&self, sql: &Sql, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let lease = Lease::of(&self.pool).await?;
        let rows = self.run_on(&lease, sql, values).await;
        lease.give_back();
        rows
    }

    async fn run_on(
        &self,
        lease: &Lease,
        sql: &Sql,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let (client, Sql { text, types }) = (lease.client(), sql);
        let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
        let rows = if self.prepares {
            let statement = client.prepare_typed_cached(text, types).await;
            let statement = statement.map_err(error::of_server)?;
            client.query(&statement, &values.collect::<Vec<_>>()).await
        } else {
            let typed: Vec<_> = values.zip(types.iter().cloned()).collect();
            client.query_typed(text, &typed).await
        };
        rows.map_err(error::of_server)
    }
}

/// Shows the names and how many connections there are, never the URL.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("names", &self.names)
            .field("connections", &self.pool.status().size)
            .finish_non_exhaustive()
    }
}
