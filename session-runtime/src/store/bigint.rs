//! Writes revisions, instants and durations as the 64-bit integers of SQL, and reads instants.

use std::time::Duration;

use crate::expiry::Timestamp;
use crate::record::Revision;

/// Reaches beyond every instant, and can be added to one.
const FOR_EVER: i64 = i64::MAX / 2;

pub(super) fn revision(revision: Revision) -> i64 {
    // It has 53 bits.
    revision.as_u64().cast_signed()
}

/// Milliseconds since 1970. The last one is 292 million years ahead, and stands for never.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millis().try_into().unwrap_or(i64::MAX)
}

/// Milliseconds.
pub(super) fn span(duration: Duration) -> i64 {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(FOR_EVER);
    millis.min(FOR_EVER)
}

/// The most rows that a statement changes.
pub(super) fn limit(rows: usize) -> i64 {
    rows.try_into().unwrap_or(i64::MAX)
}

/// Reads [`millis`]. A negative number, which no store writes, counts as 1970.
pub(super) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_the_last_instant_that_the_column_holds() {
        assert_eq!(millis(Timestamp::MAX), i64::MAX);
        let century = Duration::from_hours(100 * 365 * 24);
        assert!(instant(i64::MAX) > Timestamp::from(std::time::SystemTime::now()).plus(century));
        assert_eq!(instant(-1), Timestamp::from_millis(0));
    }

    #[test]
    fn the_longest_span_can_be_added_to_an_instant() {
        let now = millis(Timestamp::from(std::time::SystemTime::now()));
        assert!(now.checked_add(span(Duration::MAX)).is_some());
    }
}
