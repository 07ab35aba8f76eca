//! Runs a statement and reads its rows; knows none.

use deadpool_sqlite::rusqlite::{Connection, Params, Row};

use super::super::StoreError;
use super::error::of_sqlite;

/// Every row of a statement.
pub(super) fn all<T>(
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
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    of: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    // Stepped to its end: until then a statement that writes is not committed.
    Ok(all(connection, sql, values, of)?.pop())
}

/// How many rows a statement changes that answers none.
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(of_sqlite)?;
    statement.execute(values).map_err(of_sqlite)
}
