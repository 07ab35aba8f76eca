//! What goes into a statement and what comes out of a row; knows no connection.

use std::fmt::Write as _;
use std::time::Duration;

use deadpool_sqlite::rusqlite::types::FromSql;
use deadpool_sqlite::rusqlite::{Result as SqlResult, Row};

use super::super::{StoreError, Stored, Swap};
use super::error::of_sqlite;
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{Owners, Record, Revision};

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
            revision: revision(record.revision),
            expires: millis(*expires),
            // What has an idle timeout of its own is not touched beside a load.
            created: record.idle.is_none().then(|| millis(record.created)),
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

/// It has 53 bits.
pub(super) fn revision(revision: Revision) -> i64 {
    revision.as_u64().cast_signed()
}

/// The end of the column is 292 million years ahead, which is as good as never.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millis().try_into().unwrap_or(i64::MAX)
}

/// So long that it reaches beyond every instant, and can be added to one.
const FOR_EVER: i64 = i64::MAX / 2;

pub(super) fn span(duration: Duration) -> i64 {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(FOR_EVER);
    millis.min(FOR_EVER)
}

/// Milliseconds since 1970. A negative number, which nobody here writes, counts as 1970.
pub(super) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.try_into().unwrap_or(0))
}

/// A session out of a row with its record and its end.
pub(super) fn stored(row: &Row<'_>) -> Result<Stored, StoreError> {
    let record = row.get_ref("record").map_err(of_sqlite)?;
    // Whatever it is: an empty value is no record either.
    let json = record.as_bytes().unwrap_or_default();
    Ok(Stored {
        record: Record::from_json(json)?,
        expires: instant(column(row, "expires")?),
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
