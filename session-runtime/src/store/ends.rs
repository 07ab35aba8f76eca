//! Remembers when sessions end, as they were last seen: a hint, which spares the servers what costs more
//! than a plain read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Stored;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

/// 128 KiB of them. Of two sessions with one place the later one has it.
const PLACES: usize = 1 << 14;

/// An end has so many bits, up to the year 2109; what is left of 64 tells the keys of a place apart.
const END_BITS: u32 = 42;

/// In the place of an end: that of a session which no load moves.
const FAST: u64 = (1 << END_BITS) - 1;

/// The ends of the sessions that were seen last. They may be old, and of another session: who trusts
/// them must not be wrong for it, only slower.
pub(super) struct Ends(Box<[AtomicU64]>);

impl Ends {
    /// Notes the end of a session that was loaded for a request.
    pub(super) fn note(&self, key: &StoreKey, found: &Stored, lifetime: Lifetime) {
        let Stored { record, expires } = found;
        let absolute = record.created.plus(lifetime.absolute);
        // One of the layer's own is left to its touch, and later than at the absolute end it cannot be.
        let stands_fast = record.idle.is_some() || absolute.since(*expires) < lifetime.least_move();
        let (place, tag) = self.place(key);
        match expires.as_millis() {
            _ if stands_fast => place.store(tag | FAST, Ordering::Relaxed),
            end if end < FAST => place.store(tag | end, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Notes where a write or a touch has moved the end of a session, if that of it is known.
    #[cfg(feature = "sqlite")]
    pub(super) fn moved(&self, key: &StoreKey, end: Timestamp) {
        let (place, tag) = self.place(key);
        let noted = place.load(Ordering::Relaxed);
        let is_known = (noted ^ tag) >> END_BITS == 0 && noted & FAST != FAST;
        if is_known && end.as_millis() < FAST {
            place.store(tag | end.as_millis(), Ordering::Relaxed);
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
        let end = match noted & FAST {
            FAST => return Some(false),
            end => Timestamp::from_millis(end),
        };
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
    use crate::record::Record;

    const LIFETIME: Lifetime = Lifetime {
        idle: Duration::from_hours(1),
        absolute: Duration::from_hours(9),
        until: Timestamp::MAX,
    };

    /// Began at zero.
    fn ends_at(end: Timestamp) -> Stored {
        let created = at(0).as_millis();
        let json = format!(r#"{{"v":1,"rev":1,"created":{created},"data":{{}}}}"#);
        Stored {
            record: Record::from_json(json.as_bytes()).unwrap(),
            expires: end,
        }
    }

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
        ends.note(&key(1, 1), &ends_at(LIFETIME.latest(at(0))), LIFETIME);
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
        let never = Lifetime {
            absolute: Duration::MAX,
            ..LIFETIME
        };
        let far = Timestamp::from_millis(FAST);
        ends.note(&key(1, 1), &ends_at(far), never);
        assert_eq!(is_due(key(1, 1)), None);
        ends.note(&key(1, 1), &ends_at(LIFETIME.latest(at(0))), LIFETIME);
        assert_eq!(is_due(key(1, 2)), None);
        assert_eq!(is_due(key(2, 1)), None);
        // One that shares its place takes it.
        ends.note(&key(1, 2), &ends_at(LIFETIME.latest(at(0))), LIFETIME);
        assert_eq!(is_due(key(1, 2)), Some(false));
        assert_eq!(is_due(key(1, 1)), None);
    }

    #[test]
    fn a_session_that_no_load_moves_is_not_due() {
        let ends = Ends::default();
        let late = at(8 * 3600 + 1);
        let is_due = || ends.is_due(&key(1, 1), LIFETIME, late);
        ends.note(&key(1, 1), &ends_at(at(9 * 3600 - 60)), LIFETIME);
        assert_eq!(is_due(), Some(true));
        ends.note(&key(1, 1), &ends_at(at(9 * 3600 - 59)), LIFETIME);
        assert_eq!(is_due(), Some(false));
        let mut of_its_own = ends_at(at(3600));
        ends.note(&key(1, 1), &of_its_own, LIFETIME);
        assert_eq!(is_due(), Some(true));
        of_its_own.record.idle = Some(Duration::from_mins(1));
        ends.note(&key(1, 1), &of_its_own, LIFETIME);
        assert_eq!(is_due(), Some(false));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn an_end_is_followed_where_it_is_known_and_moves() {
        let ends = Ends::default();
        let is_due = || ends.is_due(&key(1, 1), LIFETIME, at(60));
        ends.moved(&key(1, 1), LIFETIME.latest(at(0)));
        assert_eq!(is_due(), None);
        ends.note(&key(1, 1), &ends_at(LIFETIME.latest(at(0))), LIFETIME);
        assert_eq!(is_due(), Some(true));
        ends.moved(&key(1, 2), LIFETIME.latest(at(60)));
        assert_eq!(is_due(), Some(true));
        ends.moved(&key(1, 1), LIFETIME.latest(at(60)));
        assert_eq!(is_due(), Some(false));
        ends.note(&key(1, 1), &ends_at(at(9 * 3600)), LIFETIME);
        ends.moved(&key(1, 1), at(1));
        assert_eq!(is_due(), Some(false));
    }
}
