//! Writes sessions and marks as the text that lies in Redis, and reads it; knows no connection.
//!
//! A session is `ENDS LISTED REVISION OWNERS JSON`: when it ends and until when the indexes of its owners
//! list it, both in milliseconds; its revision; its owners, comma-separated, or `-`; the record. The
//! first three have 16 digits, so that a touch writes over 33 bytes and leaves the rest where it lies.

use std::time::Duration;

use ::redis::Value;

use super::super::{StoreError, Stored};
use crate::expiry::Timestamp;
use crate::record::{Owners, Record, RecordError, Revision};

/// The last instant that a script can count with, and that has 16 digits: in the year 287396.
const LAST: u64 = (1 << 53) - 1;
const DIGITS: usize = 16;

/// So much longer than its session a key is kept: the layer's clock decides when a session ends, the
/// server's only when its space is freed.
pub(super) const GRACE: Duration = Duration::from_mins(1);

/// The longest time that a key is given to live: 200 years, which the server can add to its clock.
pub(super) const MOST: Duration = Duration::from_hours(200 * 365 * 24);

/// How much longer than a session its owner's index lists it, beside twice the time that it has left.
const SLACK: Duration = Duration::from_hours(1);

/// Stands for the owners of a session that has none.
const NOBODY: &str = "-";

/// Stands for no list: for a session without owners, or where nobody has seen to it.
pub(super) const UNLISTED: &str = "0000000000000000";

/// The content of a session's key.
pub(super) enum Standing {
    Session(Stored),
    /// A session that is there only once the rotation from this key has been decided.
    Pending(String),
    /// The session has gone to this key.
    Moved(String),
}

impl Standing {
    pub(super) fn read(text: &[u8]) -> Result<Self, StoreError> {
        if let Some(to) = text.strip_prefix(b"moved ") {
            return Ok(Self::Moved(word(to)?));
        }
        if let Some(waits) = text.strip_prefix(b"pending ") {
            let end = waits.iter().position(|byte| *byte == b' ');
            let (from, _) = waits.split_at(end.unwrap_or(waits.len()));
            return Ok(Self::Pending(word(from)?));
        }
        session(text).map(Self::Session)
    }
}

/// The content of a key, if the key is there; an answer of another kind is an error, not an absence.
pub(super) fn found(answer: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match answer {
        Value::BulkString(text) => Ok(Some(text)),
        Value::Nil => Ok(None),
        _ => Err(foreign()),
    }
}

/// Reads a session.
pub(super) fn session(text: &[u8]) -> Result<Stored, StoreError> {
    let mut parts = text.splitn(5, |byte| *byte == b' ');
    let mut next = || parts.next().ok_or_else(foreign);
    let (ends, _listed, _revision, _owners, json) = (next()?, next()?, next()?, next()?, next()?);
    Ok(Stored {
        record: Record::from_json(json)?,
        expires: read_instant(ends)?,
    })
}

/// The error for content that no `RedisStore` wrote.
pub(super) fn foreign() -> StoreError {
    StoreError::Unreadable(RecordError::Malformed { line: 1, column: 1 })
}

/// The parts of a session's text.
pub(super) struct Parts {
    pub(super) ends: String,
    pub(super) revision: String,
    pub(super) owners: String,
    pub(super) json: String,
}

impl Parts {
    pub(super) fn of(new: &Stored) -> Self {
        Self {
            ends: instant(new.expires),
            revision: revision(new.record.revision),
            owners: owners(&new.record.owners),
            json: new.record.to_json(),
        }
    }

    /// Until when its owners' indexes list the session, if it has owners.
    pub(super) fn listed<'a>(&self, until: &'a str) -> &'a str {
        if self.owners == NOBODY {
            UNLISTED
        } else {
            until
        }
    }

    /// The text of a session that its owners' indexes list until `listed`.
    pub(super) fn join(&self, listed: &str) -> String {
        let Self {
            ends,
            revision,
            owners,
            json,
        } = self;
        [ends, listed, revision, owners, json].join(" ")
    }
}

fn owners(owners: &Owners) -> String {
    if owners.is_empty() {
        return NOBODY.to_owned();
    }
    let keys: Vec<_> = owners.keys().map(|owner| owner.to_text()).collect();
    keys.join(",")
}

/// The owners that a script has named.
pub(super) fn read_owners(text: &[u8]) -> impl Iterator<Item = &str> {
    let owners = text.split(|byte| matches!(byte, b',' | b' '));
    let owners = owners.filter_map(|owner| str::from_utf8(owner).ok());
    owners.filter(|owner| !owner.is_empty() && *owner != NOBODY)
}

pub(super) fn revision(revision: Revision) -> String {
    format!("{:016}", revision.as_u64())
}

pub(super) fn instant(at: Timestamp) -> String {
    format!("{:016}", at.as_millis().min(LAST))
}

pub(super) fn read_instant(text: &[u8]) -> Result<Timestamp, StoreError> {
    let text = str::from_utf8(text).map_err(|_| foreign())?;
    if text.len() != DIGITS {
        return Err(foreign());
    }
    let millis = text.parse().map_err(|_| foreign())?;
    Ok(Timestamp::from_millis(millis))
}

/// A mark: since when, and until when it is kept.
pub(super) fn read_mark(text: &[u8]) -> Result<(Timestamp, Timestamp), StoreError> {
    let mut parts = text.splitn(2, |byte| *byte == b' ').map(read_instant);
    let mut next = || parts.next().unwrap_or_else(|| Err(foreign()));
    Ok((next()?, next()?))
}

/// For how many milliseconds a key is to be kept whose content counts until `end`.
pub(super) fn kept(end: Timestamp, now: Timestamp) -> String {
    millis((end.since(now) + GRACE).min(MOST))
}

pub(super) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// Until when an index lists a session that ends at `ends` as of now: long enough that most touches
/// need not list it again.
pub(super) fn listed_until(ends: Timestamp, now: Timestamp) -> Timestamp {
    // Random to a second, so that an entry of an earlier session under the same key is another one.
    let random = Duration::from_millis(fastrand::u64(..1000));
    ends.plus(ends.since(now)).plus(SLACK).plus(random)
}

fn word(text: &[u8]) -> Result<String, StoreError> {
    let text = str::from_utf8(text).map_err(|_| foreign())?;
    Ok(text.to_owned())
}
