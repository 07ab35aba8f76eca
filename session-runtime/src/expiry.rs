//! Decides when a session ends, as arithmetic over a given `now`; never reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// An instant as whole milliseconds since the Unix epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last instant there is: something that never ends by itself.
    pub const MAX: Self = Self(u64::MAX);

    /// Names an instant by its milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant `after` later, or [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(millis(after)))
    }

    /// The instant `before` earlier, or 1970.
    #[must_use]
    pub fn minus(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(millis(before)))
    }

    /// How long it is from `earlier` to here; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    /// A time before 1970 counts as 1970.
    fn from(time: SystemTime) -> Self {
        Self(millis(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        let end = UNIX_EPOCH + LAST_DATE;
        UNIX_EPOCH
            .checked_add(Duration::from_millis(at.0))
            .unwrap_or(end)
    }
}

/// From 1970 to the last second of the year 9999: the last one that has a date of the form that HTTP
/// uses. An instant that a system's time cannot hold counts as this one.
pub(crate) const LAST_DATE: Duration = Duration::from_secs(253_402_300_799);

/// How long sessions live; the shortest of the three ends one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// After the last touch.
    pub idle: Duration,
    /// After the first store; nothing extends it.
    pub absolute: Duration,
    /// One instant for all sessions, where the cookie names one; else [`Timestamp::MAX`].
    pub until: Timestamp,
}

impl Lifetime {
    /// Where the end of a live session is to be moved that is used at `now`, if that is worth a touch:
    /// to `min(latest(now), created + absolute)`, if that is not past, and later or sooner than `expires`
    /// by [`least_move`](Self::least_move) at least.
    #[must_use]
    pub fn due(self, created: Timestamp, expires: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let deadline = self.deadline(created, now);
        (now < deadline && self.touch_due(created, expires, now)).then_some(deadline)
    }

    /// However long the idle timeout, a touch is worth its price when it moves the end by so much.
    const LAZIEST_TOUCH: Duration = Duration::from_mins(1);

    /// Where the end of a session moves at most that is used at `now`: `min(now + idle, until)`.
    #[must_use]
    pub fn latest(self, now: Timestamp) -> Timestamp {
        now.plus(self.idle).min(self.until)
    }

    /// A touch that moves the end by less, in whole milliseconds, is not worth its price.
    #[must_use]
    pub fn least_move(self) -> Duration {
        // Mostly there is nothing to divide, which would take as long as a lookup in the store.
        if self.idle >= 10 * Self::LAZIEST_TOUCH {
            return Self::LAZIEST_TOUCH;
        }
        let least = self.idle / 10;
        let micros = u64::try_from(least.as_micros()).unwrap_or(u64::MAX);
        Duration::from_millis(micros.div_ceil(1000).max(1))
    }

    /// The instant from which a session touched at `now` counts as dead.
    pub(crate) fn deadline(self, created: Timestamp, now: Timestamp) -> Timestamp {
        self.latest(now).min(created.plus(self.absolute))
    }

    /// Whether a session stored with `expires` still lives: `now < expires`, and the absolute end
    /// of today's configuration is not past either.
    pub(crate) fn alive(self, created: Timestamp, expires: Timestamp, now: Timestamp) -> bool {
        now < self.end(created, expires)
    }

    /// The instant from which a session stored with `expires` is dead, unless it is touched.
    pub(crate) fn end(self, created: Timestamp, expires: Timestamp) -> Timestamp {
        expires.min(created.plus(self.absolute)).min(self.until)
    }

    /// Whether enough has passed since the last touch to pay for another: a tenth of the idle
    /// timeout or 60 seconds, whichever is shorter.
    pub(crate) fn touch_due(self, created: Timestamp, expires: Timestamp, now: Timestamp) -> bool {
        let deadline = self.deadline(created, now);
        // Sooner too: a shorter timeout of a new configuration, or a clock that was put right.
        deadline.0.abs_diff(expires.0) >= millis(self.least_move())
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn lifetime(idle: Duration, absolute: Duration) -> Lifetime {
        Lifetime {
            idle,
            absolute,
            until: Timestamp::MAX,
        }
    }

    #[test]
    fn a_session_is_dead_at_its_deadline_and_not_before() {
        let life = lifetime(HOUR, 10 * HOUR);
        let expires = life.deadline(at(0), at(0));
        let last = Timestamp::from_millis(3_599_999);
        assert!(life.alive(at(0), expires, last));
        assert!(!life.alive(at(0), expires, at(3600)));
    }

    #[test]
    fn touching_never_moves_the_absolute_end() {
        let life = lifetime(HOUR, 2 * HOUR);
        assert_eq!(life.deadline(at(0), at(7000)), at(7200));
        assert!(!life.touch_due(at(0), at(7200), at(7100)));
    }

    #[test]
    fn a_touch_is_due_after_a_tenth_of_a_short_idle_timeout() {
        let life = lifetime(Duration::from_secs(100), HOUR);
        let expires = life.deadline(at(0), at(0));
        assert!(!life.touch_due(at(0), expires, at(9)));
        assert!(life.touch_due(at(0), expires, at(10)));
    }

    #[test]
    fn a_touch_is_due_after_a_minute_of_a_long_idle_timeout() {
        let life = lifetime(24 * HOUR, 720 * HOUR);
        let expires = life.deadline(at(0), at(0));
        assert!(!life.touch_due(at(0), expires, at(59)));
        assert!(life.touch_due(at(0), expires, at(60)));
    }

    #[test]
    fn a_shorter_idle_timeout_of_a_new_configuration_reaches_a_session_when_it_is_used() {
        let before = lifetime(24 * HOUR, 720 * HOUR).deadline(at(0), at(0));
        assert!(lifetime(HOUR, 720 * HOUR).touch_due(at(0), before, at(60)));
    }

    #[test]
    fn a_shorter_absolute_timeout_of_a_new_configuration_ends_old_sessions() {
        let before = lifetime(24 * HOUR, 720 * HOUR).deadline(at(0), at(0));
        assert!(!lifetime(HOUR, 2 * HOUR).alive(at(0), before, at(7200)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Twenty steps a case: 10,000 steps of a simulated clock against the sentence itself.
        #[test]
        fn alive_exactly_until_the_sooner_of_idle_and_absolute(
            idle in 1u64..1000,
            absolute in 1u64..5000,
            steps in prop::collection::vec((0u64..400, any::<bool>()), 20),
        ) {
            let life = lifetime(Duration::from_millis(idle), Duration::from_millis(absolute));
            let created = Timestamp::from_millis(1_000_000);
            let (mut now, mut touched) = (created, created);
            let mut expires = life.deadline(created, now);
            for (step, touch) in steps {
                now = now.plus(Duration::from_millis(step));
                let ends = (created.0 + absolute).min(touched.0 + idle);
                let alive = life.alive(created, expires, now);
                prop_assert_eq!(alive, now.0 < ends);
                if alive && touch {
                    touched = now;
                    expires = life.deadline(created, now);
                }
            }
        }
    }
}
