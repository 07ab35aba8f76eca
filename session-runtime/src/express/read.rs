//! Reads a session object, whoever has written it.

use std::time::Duration;

use super::{COOKIE, MAX_AGE, revision};
use crate::expiry::Timestamp;
use crate::record::{Fields, Owners, Record, RecordError};

/// The record of a session object. Its revision is that of its text, since Express writes none.
pub(crate) fn read(json: &[u8]) -> Result<Record, RecordError> {
    let fields = Fields::from_json(json)?;
    let age = fields.get(COOKIE, MAX_AGE);
    let age = age.and_then(|age| serde_json::from_slice::<f64>(&age).ok());
    let age = age.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
    Ok(Record {
        revision: revision(json),
        // Express does not say, and knows no end that is counted from there.
        created: Timestamp::from_millis(0),
        idle: age.filter(|age| !age.is_zero()),
        owners: Owners::default(),
        fields,
    })
}
