//! Timeouts that go together, and those that NIST asks for; reads no clock.

use std::time::Duration;

/// How long sessions live, unused and in all.
///
/// The constants are the most that NIST SP 800-63B-4, "Authentication and Authenticator Management",
/// leaves a session after an authentication of its three levels (sections 2.1.3, 2.2.3 and 2.3.3; what
/// the two timeouts are is said in section 5.2):
///
/// | level | unused | in all |
/// |---|---|---|
/// | AAL1 | no limit asked for | should be no more than 30 days |
/// | AAL2 | should be no more than 1 hour | should be no more than 24 hours |
/// | AAL3 | should be no more than 15 minutes | shall be no more than 12 hours |
///
/// ```
/// use session_runtime::{MemoryStore, Secret, SessionLayer, Timeouts};
///
/// let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
///     .timeouts(Timeouts::NIST_AAL2)
///     .build()?;
/// # Ok::<(), session_runtime::ConfigError>(())
/// ```
///
/// `absolute` counts from when the session was first stored. A sign-in into a session that was there
/// before does not begin it anew, so that it may end sooner than the level asks, and never later. The
/// timeouts are a part of what a level asks; how a visitor signs in is the application's concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A session that nobody uses for this long ends.
    pub idle: Duration,
    /// A session ends this long after it was first stored, used or not.
    pub absolute: Duration,
}

impl Timeouts {
    /// Authentication assurance level 1: 30 days, used or not.
    pub const NIST_AAL1: Self = Self {
        idle: Duration::from_hours(30 * 24),
        absolute: Duration::from_hours(30 * 24),
    };

    /// Authentication assurance level 2: 1 hour without use, 24 hours in all.
    pub const NIST_AAL2: Self = Self {
        idle: Duration::from_hours(1),
        absolute: Duration::from_hours(24),
    };

    /// Authentication assurance level 3: 15 minutes without use, 12 hours in all.
    pub const NIST_AAL3: Self = Self {
        idle: Duration::from_mins(15),
        absolute: Duration::from_hours(12),
    };
}
