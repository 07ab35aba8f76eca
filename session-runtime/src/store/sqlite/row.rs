//! What goes into a statement and what comes out of a row; knows no connection.

use std::fmt::Write as _;

use deadpool_sqlite::rusqlite::types::FromSql;
use deadpool_sqlite::rusqlite::{Result as SqlResult, Row};

use super::super::{StoreError, Stored, Swap, bigint};
use super::error::of_sqlite;
use crate::id::StoreKey;
use crate::record::{Owners, Record};

/// A session as the columns of its row, but for the key.
pub(super) struct NewRow {
    pub(super) revision: i64,
    pub(super) expires: i64,
    pub(super) created: Option<i64>,
    pub(super) owners: Option<String>,
    pub(super) record: String,
}

impl NewRow {
    pub(super) fn of(new: &Stored) -> Self {
        let Stored { record, expires } = new;
        Self {
            revision: bigint::revision(record.revision),
            expires: bigint::millis(*expires),
            // A session with an idle timeout of its own is not touched beside a load.
            created: record
                .idle
                .is_none()
                .then(|| bigint::millis(record.created)),
            owners: owners(&record.owners),
            record: record.to_json(),
        }
    }
}

/// A JSON array, in which base64url needs no escapes; none for what is nobody's.
fn owners(owners: &Owners) -> Option<String> {
    let mut json = String::new();
    for owner in owners.keys() {
        let separator = if json.is_empty() { '[' } else { ',' };
        let written = write!(json, "{separator}\"{}\"", owner.to_text());
        written.expect("a string takes what is written");
    }
    (!json.is_empty()).then(|| json + "]")
}

/// A session out of a row with its record and its end.
pub(super) fn stored(row: &Row<'_>) -> Result<Stored, StoreError> {
    let record = row.get_ref("record").map_err(of_sqlite)?;
    // Whatever it is: an empty value is no record either.
    let json = record.as_bytes().unwrap_or_default();
    Ok(Stored {
        record: Record::from_json(json)?,
        expires: bigint::instant(column(row, "expires")?),
    })
}

/// As [`stored`], with its key.
pub(super) fn keyed(row: &Row<'_>) -> Result<(StoreKey, Stored), StoreError> {
    Ok((StoreKey::from_bytes(column(row, "key")?), stored(row)?))
}

/// The row of `REPLACE` and `ROTATE`.
pub(super) fn swap(row: &Row<'_>) -> Result<Swap, StoreError> {
    if column(row, "matched")? {
        return Ok(Swap::Done);
    }
    Ok(Swap::Conflict(stored(row)?))
}

/// A value of a row, by its column's name.
pub(super) fn column<T: FromSql>(row: &Row<'_>, name: &str) -> Result<T, StoreError> {
    let value: SqlResult<T> = row.get(name);
    value.map_err(of_sqlite)
}
