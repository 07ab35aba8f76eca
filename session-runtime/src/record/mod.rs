//! What a store keeps of a session: raw fields, a revision and a date of birth; knows no user type,
//! no clock.

mod fields;
mod json;
mod owners;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::fields::{Cursor, Edit, equal};
pub use self::fields::{Fields, Slice};
use self::json::WireOwner;
pub use self::owners::{OwnerKey, Owners};
use crate::expiry::Timestamp;

/// The format that this version writes, and the only one there has been.
const VERSION: u64 = 1;

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
#[cfg_attr(test, derive(Hash))]
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
        // `{"v":1,"rev":..,"created":<ms>,"idle":<ms>,"owner":{..},"data":{..}}`: `idle` is there only
        // if it was set for this session, and `owner` if the session has one.
        let Self {
            revision,
            created,
            idle,
            owners,
            fields,
        } = self;
        let (revision, created) = (revision.as_u64(), created.as_millis());
        let mut json =
            format!(r#"{{"v":{VERSION},"rev":{revision},"created":{created},"#).into_bytes();
        if let Some(idle) = idle {
            json.extend_from_slice(format!(r#""idle":{},"#, idle.as_millis()).as_bytes());
        }
        json::write_owners(&mut json, owners);
        json.extend_from_slice(b"\"data\":");
        json::write_fields(&mut json, fields);
        json.push(b'}');
        json::text(json)
    }

    /// Reads what [`Record::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if it is not JSON, lacks a member, or is of a version that this one does not know.
    pub fn from_json(json: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            rev: u64,
            created: u64,
            idle: Option<u64>,
            #[serde(borrow, default)]
            owner: BTreeMap<Cow<'a, str>, WireOwner<'a>>,
            #[serde(borrow)]
            data: &'a RawValue,
        }
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }

        // The version first: a record from the future may lack what version 1 requires.
        let Version { v } = serde_json::from_slice(json).map_err(RecordError::malformed)?;
        if v != VERSION {
            return Err(RecordError::Version(v));
        }
        let Wire {
            rev,
            created,
            idle,
            owner,
            data,
        } = serde_json::from_slice(json).map_err(RecordError::malformed)?;
        Ok(Self {
            revision: Revision::from_u64(rev),
            created: Timestamp::from_millis(created),
            idle: idle.map(Duration::from_millis),
            owners: json::read_owners(owner).map_err(RecordError::malformed)?,
            fields: json::read_fields(data.get()).map_err(RecordError::malformed)?,
        })
    }
}

impl Fields {
    /// The fields alone, as one JSON object.
    pub(crate) fn to_json(&self) -> String {
        let mut written = Vec::new();
        json::write_fields(&mut written, self);
        json::text(written)
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
