//! What goes into a statement and what comes out of a row; knows no connection.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::tokio_postgres::Row;
use deadpool_postgres::tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::{StoreError, Stored, Swap, bigint};
use super::error;
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{OwnerKey, Record, Revision};

/// A parameter. It never prints: the client logs the parameters of each statement.
pub(super) enum Value<'a> {
    Number(i64),
    Instant(Option<i64>),
    Key([u8; 32]),
    Bytes(&'a [u8]),
    Keys(Option<&'a [Vec<u8>]>),
}

/// A session as the columns of its row, but for the key.
pub(super) struct NewRow {
    revision: Revision,
    expires: Timestamp,
    created: Option<Timestamp>,
    owners: Option<Vec<Vec<u8>>>,
    record: String,
}

impl NewRow {
    pub(super) fn of(new: &Stored) -> Self {
        let Stored { record, expires } = new;
        let owners: Vec<_> = record.owners.keys().collect();
        let bytes = |owner: &OwnerKey| owner.as_bytes().to_vec();
        Self {
            revision: record.revision,
            expires: *expires,
            // A session with an idle timeout of its own is not touched beside a load.
            created: record.idle.is_none().then_some(record.created),
            // Nobody's sessions are not in the index of owners.
            owners: (!owners.is_empty()).then(|| owners.iter().map(bytes).collect()),
            record: record.to_json(),
        }
    }

    /// Revision, end, creation, owners and record, in this order.
    pub(super) fn values(&self) -> [Value<'_>; 5] {
        [
            self.revision.into(),
            self.expires.into(),
            Value::Instant(self.created.map(bigint::millis)),
            Value::Keys(self.owners.as_deref()),
            Value::Bytes(self.record.as_bytes()),
        ]
    }
}

/// A session out of a row with its record and its end.
pub(super) fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored {
        record: Record::from_json(column(row, "record")?)?,
        expires: bigint::instant(column(row, "expires")?),
    })
}

/// As [`stored`], with its key.
pub(super) fn keyed(row: &Row) -> Result<(StoreKey, Stored), StoreError> {
    let key: &[u8] = column(row, "key")?;
    let key = key.try_into().map_err(StoreError::unavailable)?;
    Ok((StoreKey::from_bytes(key), stored(row)?))
}

/// The rows of `REPLACE` and `ROTATE`.
pub(super) fn swap(rows: &[Row]) -> Result<Swap, StoreError> {
    let Some(row) = rows.first() else {
        return Ok(Swap::Gone);
    };
    let stands: Option<&[u8]> = column(row, "record")?;
    match stands {
        None => Ok(Swap::Done),
        Some(_) => Ok(Swap::Conflict(stored(row)?)),
    }
}

/// A value of a row, by its column's name.
pub(super) fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(error::of_server)
}

impl From<Revision> for Value<'_> {
    fn from(revision: Revision) -> Self {
        Self::Number(bigint::revision(revision))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Number(bigint::millis(at))
    }
}

impl From<Duration> for Value<'_> {
    fn from(duration: Duration) -> Self {
        Self::Number(bigint::span(duration))
    }
}

impl From<StoreKey> for Value<'_> {
    fn from(key: StoreKey) -> Self {
        Self::Key(*key.as_bytes())
    }
}

impl From<OwnerKey> for Value<'_> {
    fn from(owner: OwnerKey) -> Self {
        Self::Key(*owner.as_bytes())
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Number(number) => number.to_sql(ty, out),
            Self::Instant(at) => at.to_sql(ty, out),
            Self::Key(key) => key.as_slice().to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
            Self::Keys(keys) => keys.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::BYTEA | Type::BYTEA_ARRAY)
    }

    to_sql_checked!();
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_prints() {
        let record = br#"{"a":"s3cret"}"#;
        let owners = [vec![7; 32]];
        for value in [
            Value::Number(7),
            Value::Key([7; 32]),
            Value::Bytes(record),
            Value::Keys(Some(&owners)),
        ] {
            assert_eq!(format!("{value:?}"), "..");
        }
    }
}
