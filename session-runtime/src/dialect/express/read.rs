//! Reads a session object that Express or this library has written.

use std::time::Duration;

use super::object::{COOKIE, MAX_AGE, revision};
use crate::expiry::Timestamp;
use crate::record::{Fields, Owners, Record, RecordError};

/// The record of a session object. Its revision is that of its text, since Express writes none.
pub(crate) fn read(json: &[u8]) -> Result<Record, RecordError> {
    let fields = Fields::from_json(json)?;
    let age = fields.get(COOKIE, MAX_AGE);
    Ok(Record {
        revision: revision(json),
        // Express does not say, and knows no end that is counted from there.
        created: Timestamp::from_millis(0),
        idle: age.and_then(|age| whole_millis(&age)),
        owners: Owners::default(),
        fields,
    })
}

/// A positive number of milliseconds. One that is whole is taken as it is: as a fraction of seconds it would
/// lose one now and then, and another one with each write.
fn whole_millis(json: &[u8]) -> Option<Duration> {
    let whole = serde_json::from_slice(json).map(Duration::from_millis);
    let age = whole.ok().or_else(|| {
        let millis: f64 = serde_json::from_slice(json).ok()?;
        Duration::try_from_secs_f64(millis / 1000.0).ok()
    });
    age.filter(|age| age.as_millis() > 0)
}
