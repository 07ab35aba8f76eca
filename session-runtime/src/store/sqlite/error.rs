//! Says what went wrong between here and the file, without a value of a row.

use std::fmt;

use deadpool::managed::PoolError;
use deadpool_sqlite::rusqlite::ffi::{self, ErrorCode};
use deadpool_sqlite::rusqlite::{self, Error};

use super::super::StoreError;

/// Why a [`SqliteStore`](super::SqliteStore) cannot be made so.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteConfigError {
    /// The prefix of the tables' names does not begin a plain identifier.
    #[error(
        "a prefix is up to 48 lowercase letters, digits and underscores, no digit first, nor `sqlite_`"
    )]
    Prefix,
    /// The URL names no file.
    #[error("this is no URL of a SQLite file: write sqlite:path, without options")]
    Url,
}

/// As `Display`: it is what a `main` that returns an error prints.
impl fmt::Debug for SqliteConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A connection was lent in the middle of a transaction, where nothing that is written is durable.
#[derive(Debug, thiserror::Error)]
#[error("a connection of the pool has a transaction open")]
pub(super) struct InTransaction;

pub(super) fn of_sqlite(error: Error) -> StoreError {
    // Nothing of ours is null there but what `rotate` undoes itself by.
    const NOT_NULL: i32 = ffi::SQLITE_CONSTRAINT_NOTNULL;
    match &error {
        Error::SqliteFailure(failure, _) if failure.extended_code == NOT_NULL => StoreError::Taken,
        Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => StoreError::Full,
        _ => StoreError::unavailable(error),
    }
}

pub(super) fn of_pool(error: PoolError<rusqlite::Error>) -> StoreError {
    match error {
        PoolError::Backend(error) => of_sqlite(error),
        PoolError::Timeout(_) => StoreError::TimedOut,
        error => StoreError::unavailable(error),
    }
}
