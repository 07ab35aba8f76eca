//! The settings by which the machine decides; the same for all requests of a layer.

use std::time::Duration;

use super::state::Snapshot;
use crate::dialect::Dialect;
use crate::expiry::{Lifetime, Timestamp};
use crate::record::Record;
use crate::store::Stored;

/// When a cookie that outlives the browser is sent again. A browser-session cookie is sent once,
/// except under [`Rolling::EveryResponse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rolling {
    /// Whenever the session's expiry moves, so that the cookie and the session end together.
    #[default]
    OnTouch,
    /// On every response, those of handlers that do not use the session included:
    /// express-session's `rolling: true`. Each request loads and touches the session.
    EveryResponse,
    /// Only when the session was changed: express-session's `rolling: false`.
    OnChange,
}

/// The answer to a sign-in by an owner who has as many sessions as allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AtMaxSessions {
    /// The session ends that the owner began longest ago.
    #[default]
    EvictOldest,
    /// The sign-in is refused: [`SessionError::TooManySessions`](crate::SessionError).
    RefuseNew,
}

/// The settings of a layer that decide what happens to a session.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    pub(crate) lifetime: Lifetime,
    /// No session's own idle timeout is longer.
    pub(crate) longest_idle: Duration,
    /// The layer's cookie outlives the browser.
    pub(crate) cookie_persists: bool,
    pub(crate) rolling: Rolling,
    pub(crate) resave: bool,
    pub(crate) save_uninitialized: bool,
    pub(crate) max_record_bytes: usize,
    pub(crate) max_sessions: Option<usize>,
    pub(crate) at_max_sessions: AtMaxSessions,
}

impl Rules {
    /// The timeouts of one session.
    pub(crate) fn lifetime_of(&self, record: &Record) -> Lifetime {
        Lifetime {
            idle: record
                .idle
                .map_or(self.lifetime.idle, |own| own.min(self.longest_idle)),
            ..self.lifetime
        }
    }

    /// The end of a session that is used at `now`.
    pub(crate) fn deadline(&self, record: &Record, now: Timestamp) -> Timestamp {
        self.lifetime_of(record).deadline(record.created, now)
    }

    /// The instant from which a session is dead, unless it is touched.
    pub(crate) fn end(&self, record: &Record, expires: Timestamp) -> Timestamp {
        self.lifetime_of(record).end(record.created, expires)
    }

    /// Returns `true` if a session that the store has is alive by today's timeouts.
    pub(crate) fn is_alive(&self, stored: &Stored, now: Timestamp) -> bool {
        let Stored { record, expires } = stored;
        self.lifetime_of(record)
            .alive(record.created, *expires, now)
    }

    /// When a session was last touched, as far as its end tells: the absolute end hides it.
    pub(crate) fn last_seen(&self, stored: &Stored) -> Timestamp {
        let idle = self.lifetime_of(&stored.record).idle;
        stored.expires.minus(idle).max(stored.record.created)
    }

    pub(super) fn touch_due(&self, snapshot: &Snapshot, now: Timestamp) -> bool {
        let lifetime = self.lifetime_of(&snapshot.record);
        lifetime.touch_due(snapshot.record.created, snapshot.expires, now)
    }

    /// Returns `true` if the cookie outlives the browser: by the layer's options, or by this session's own.
    pub(super) fn is_persistent(&self, snapshot: &Snapshot) -> bool {
        self.cookie_persists || snapshot.record.idle.is_some()
    }

    /// Returns `true` if a touch waits for the commit, as a cookie follows it: the cookie must not go out for
    /// a session that another request has ended meanwhile.
    pub(super) fn touches_late(&self) -> bool {
        self.cookie_persists || self.rolling == Rolling::EveryResponse
    }

    /// Returns `true` if the settings concern requests whose handler does not use the session.
    pub(crate) fn concern_all(&self) -> bool {
        self.resave || self.save_uninitialized || self.rolling == Rolling::EveryResponse
    }
}
