//! What a store keeps of a session: raw fields, a revision and a date of birth; knows no user type,
//! no clock.

mod fields;
mod json;
mod owners;

use std::time::Duration;

pub(crate) use self::fields::{Cursor, Edit};
pub use self::fields::{Fields, Slice};
pub use self::owners::{OwnerKey, Owners};
use crate::expiry::Timestamp;

/// Names one state of a record: another one is drawn at random for each write.
///
/// It says whether a record is still what was read, and whether a write whose answer was lost has
/// arrived. It has 53 bits, so that every JSON tool reads it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Keeps the lowest 53 bits of a number, which should be random.
    #[must_use]
    pub const fn from_u64(random: u64) -> Self {
        Self(random & ((1 << 53) - 1))
    }

    /// The number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// One session as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which state of the session this is.
    pub revision: Revision,
    /// When the session was first stored; a rotation keeps it.
    pub created: Timestamp,
    /// The idle timeout, where it was set for this session alone.
    pub idle: Option<Duration>,
    /// Whose the session is: a store finds it by them.
    pub owners: Owners,
    /// What the session holds.
    pub fields: Fields,
}

impl Record {
    /// The record as JSON, the format of every store that keeps text or bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// Reads what [`Record::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if it is not JSON, lacks a member, or is of a version that this one does not know.
    pub fn from_json(json: &[u8]) -> Result<Self, RecordError> {
        json::read(json)
    }
}

impl Fields {
    /// The fields alone, as one JSON object.
    pub(crate) fn to_json(&self) -> String {
        let mut written = Vec::new();
        json::write_fields(&mut written, self);
        String::from_utf8(written).expect("fields hold what was read from strings")
    }

    /// Reads what [`Fields::to_json`] wrote.
    #[cfg(any(test, feature = "redis"))]
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, RecordError> {
        let text =
            str::from_utf8(json).map_err(|_| RecordError::Malformed { line: 1, column: 1 })?;
        json::read_fields(text).map_err(RecordError::malformed)
    }
}

/// Why stored bytes are no record. It shows no stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes are not the JSON of a record.
    #[error("the stored record is malformed at line {line}, column {column}")]
    Malformed {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A newer version wrote the record.
    #[error(
        "the stored record has format {0}, this version reads format 1: deploy readers before writers"
    )]
    Version(u64),
}

impl RecordError {
    // serde_json's own message may quote a stored value.
    #[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
    fn malformed(error: serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }
}

#[cfg(test)]
mod tests;
