//! The session object of express-session, as connect-redis keeps it: fills in its cookie; asks no store.
//!
//! `{"cookie":{"originalMaxAge":60000,"expires":"2026-11-23T08:34:21.267Z","httpOnly":true,"path":"/"},
//! "page_views":1}`: the fields of the session stand beside a `cookie`, from which Express takes the
//! attributes when it sends the cookie again.

use std::time::Duration;

use time::OffsetDateTime;

use super::cookie::CookieObject;
use crate::expiry::Timestamp;
use crate::record::{Owners, Record, Revision, Slice};

pub(super) const COOKIE: Slice<'static> = Slice::Named("cookie");
pub(super) const MAX_AGE: &str = "originalMaxAge";
const EXPIRES: &str = "expires";

/// Nothing in Redis lives longer. Express adds it to now: a date beyond those of JavaScript would have it remove
/// the session with its next save, and browsers read no year of five digits.
const LONGEST_AGE: Duration = Duration::from_hours(200 * 365 * 24);

/// Makes each state of a session another text. Express drops it with its own next save.
const NONCE: &str = "rev";

/// As it is to be stored: with a cookie to say, one that Express reads.
pub(crate) fn seal(record: Record, expires: Timestamp, cookie: Option<&CookieObject>) -> Record {
    match cookie {
        Some(cookie) => stamp(&record, expires, cookie),
        None => record,
    }
}

/// Makes a record one that Express reads: fills in the cookie, and says when it ends. What Express has
/// put there stays, but for that.
fn stamp(record: &Record, expires: Timestamp, cookie: &CookieObject) -> Record {
    let nonce = record.revision.as_u64();
    let mut edit = record.fields.edit();
    if !edit.has_slice(COOKIE) {
        edit.set(COOKIE, MAX_AGE, b"null".to_vec());
        for (key, raw) in cookie.members() {
            edit.set(COOKIE, key, raw.as_bytes().to_vec());
        }
        edit.lead(COOKIE);
    }
    let idle = record.idle.map(|idle| idle.min(LONGEST_AGE));
    let age = idle.map(|idle| idle.as_millis().to_string());
    let ends = idle.map(|_| format!("\"{}\"", date(expires)));
    for (key, raw) in [
        (MAX_AGE, age),
        (EXPIRES, ends),
        (NONCE, Some(nonce.to_string())),
    ] {
        let raw = raw.unwrap_or_else(|| "null".to_owned());
        edit.set(COOKIE, key, raw.into_bytes());
    }
    let fields = edit.pack();
    Record {
        revision: revision(fields.to_json().as_bytes()),
        // Neither has a place in a session object.
        created: Timestamp::from_millis(0),
        owners: Owners::default(),
        idle,
        fields,
    }
}

/// The first 52 bits of the SHA-1 of a text, which a script on the server computes as well.
pub(crate) fn revision(json: &[u8]) -> Revision {
    let digest = sha1_smol::Sha1::from(json).digest().bytes();
    let first = digest.first_chunk().expect("a digest has 20 bytes");
    Revision::from_u64(u64::from_be_bytes(*first) >> 12)
}

/// An instant as `Date.prototype.toJSON` writes it.
fn date(at: Timestamp) -> String {
    // The last one that JavaScript has: 100 million days from 1970.
    const LAST: i64 = 8_640_000_000_000_000;
    let millis = i64::try_from(at.as_millis()).map_or(LAST, |millis| millis.min(LAST));
    let seconds = OffsetDateTime::from_unix_timestamp(millis / 1000);
    // Years of more than four digits have another form, and nobody lives to see them.
    let end = OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT);
    let at = seconds.unwrap_or(end);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        millis % 1000
    )
}

#[cfg(test)]
mod tests;
