//! Says what went wrong between here and the server, without a value of a row.

use std::fmt;

use deadpool_postgres::PoolError;
use deadpool_postgres::tokio_postgres::Error;
use deadpool_postgres::tokio_postgres::error::SqlState;

use super::super::StoreError;

/// Why a [`PostgresStore`](super::PostgresStore) cannot be made so.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresConfigError {
    /// The schema's name is no plain identifier.
    #[error("a schema's name is 1 to 63 lowercase letters, digits and underscores, no digit first")]
    Schema,
    /// The prefix of the tables' names does not begin a plain identifier.
    #[error("a prefix is up to 48 lowercase letters, digits and underscores, no digit first")]
    Prefix,
    /// The URL is none of PostgreSQL.
    // Without its source: that may show a part of the password.
    #[error("this is no PostgreSQL URL: write postgres://user:password@host:port/database")]
    Url,
    /// The URL asks for TLS, and there is nothing to speak it with.
    #[error("the URL has `sslmode=require`: give a connector to `from_url_with_tls`")]
    NeedsTls,
}

/// As `Display`: it is what a `main` that returns an error prints.
impl fmt::Debug for PostgresConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the server answered, without its detail, which may show a row.
#[derive(Debug, thiserror::Error)]
#[error("postgres answered {code}: {message}")]
struct Refused {
    code: String,
    message: String,
}

pub(super) fn of_server(error: Error) -> StoreError {
    let Some(answer) = error.as_db_error() else {
        return StoreError::unavailable(error);
    };
    // Nothing of ours is null there but what `rotate` undoes itself by.
    if *answer.code() == SqlState::NOT_NULL_VIOLATION {
        return StoreError::Taken;
    }
    StoreError::unavailable(Refused {
        code: answer.code().code().to_owned(),
        message: answer.message().to_owned(),
    })
}

pub(super) fn of_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => of_server(error),
        PoolError::Timeout(_) => StoreError::TimedOut,
        error => StoreError::unavailable(error),
    }
}
