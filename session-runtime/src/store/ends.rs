//! Remembers when sessions end, as they were last seen: a hint, which spares the servers what costs more
//! than a plain read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

/// 128 KiB of them. Of two sessions with one place the later one has it.
const PLACES: usize = 1 << 14;

/// An end has so many bits, up to the year 2109; what is left of 64 tells the keys of a place apart.
const END_BITS: u32 = 42;

/// The ends of the sessions that were seen last. They may be old, and of another session: who trusts
/// them must not be wrong for it, only slower.
pub(super) struct Ends(Box<[AtomicU64]>);

impl Ends {
    pub(super) fn note(&self, key: &StoreKey, end: Timestamp) {
        let end = end.as_millis();
        if end >> END_BITS == 0 {
            let (place, tag) = self.place(key);
            place.store(tag | end, Ordering::Relaxed);
        }
    }

    /// Whether a session that is used is due for a touch, by what was seen last; nothing if that is not
    /// known.
    pub(super) fn is_due(
        &self,
        key: &StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Option<bool> {
        let (place, tag) = self.place(key);
        let noted = place.load(Ordering::Relaxed);
        if noted == 0 || (noted ^ tag) >> END_BITS != 0 {
            return None;
        }
        let end = Timestamp::from_millis(noted & ((1 << END_BITS) - 1));
        let latest = lifetime.latest(now);
        Some(latest.since(end).max(end.since(latest)) >= lifetime.least_move())
    }

    /// The place of a key, and what is noted there beside the end.
    fn place(&self, key: &StoreKey) -> (&AtomicU64, u64) {
        // A key is a hash: any of its bytes will do.
        let [first, second, rest @ ..] = key.as_bytes();
        let place = usize::from(u16::from_be_bytes([*first, *second])) % PLACES;
        let [a, b, c, ..] = *rest;
        let tag = u64::from(u32::from_be_bytes([0, a, b, c])) << END_BITS;
        (&self.0[place], tag)
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ends(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIFETIME: Lifetime = Lifetime {
        idle: Duration::from_hours(1),
        absolute: Duration::from_hours(9),
        until: Timestamp::MAX,
    };

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + secs * 1000)
    }

    fn key(first: u8, last: u8) -> StoreKey {
        let mut bytes = [7; 32];
        (bytes[0], bytes[4]) = (first, last);
        StoreKey::from_bytes(bytes)
    }

    #[test]
    fn a_session_that_was_just_seen_is_not_due_until_a_minute_has_passed() {
        let ends = Ends::default();
        ends.note(&key(1, 1), LIFETIME.latest(at(0)));
        let is_due = |now| ends.is_due(&key(1, 1), LIFETIME, now);
        assert_eq!(is_due(at(59)), Some(false));
        assert_eq!(is_due(at(60)), Some(true));
        // A clock that was put back.
        let before = Timestamp::from_millis(at(0).as_millis() - 60_000);
        assert_eq!(is_due(before), Some(true));
    }

    #[test]
    fn of_what_was_not_seen_nothing_is_known() {
        let ends = Ends::default();
        let is_due = |key| ends.is_due(&key, LIFETIME, at(0));
        assert_eq!(is_due(key(1, 1)), None);
        assert_eq!(is_due(StoreKey::from_bytes([0; 32])), None);
        ends.note(&key(1, 1), Timestamp::MAX);
        assert_eq!(is_due(key(1, 1)), None);
        ends.note(&key(1, 1), LIFETIME.latest(at(0)));
        assert_eq!(is_due(key(1, 2)), None);
        assert_eq!(is_due(key(2, 1)), None);
        // One that shares its place takes it.
        ends.note(&key(1, 2), LIFETIME.latest(at(0)));
        assert_eq!(is_due(key(1, 2)), Some(false));
        assert_eq!(is_due(key(1, 1)), None);
    }
}
