//! What a layer knows of its store, its secrets and its clock; built once, the same for all requests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Uri};

use super::connection::{TrustedProxy, connection};
use super::cookies::Cookies;
use super::endings::Endings;
use super::events;
use super::live::Live;
use super::names::Names;
use super::transport::Transport;
use super::turns::Turns;
use crate::cookie::{Connection, CookieLifetime, CookieWriter};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::{ID_BYTES, SessionId, StoreKey};
use crate::record::{Record, Revision};
use crate::secret::KeyRing;
use crate::store::{Answer, Later, SessionStore, StoreError, Stored};
use crate::token::{Presented, Way};
use crate::wire::Wire;

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

/// What happens to a sign-in by an owner who has as many sessions as allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AtMaxSessions {
    /// The session ends that the owner began longest ago.
    #[default]
    EvictOldest,
    /// The sign-in is refused: [`SessionError::TooManySessions`](crate::SessionError).
    RefuseNew,
}

pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
pub(super) type IdGenerator = Arc<dyn Fn() -> [u8; ID_BYTES] + Send + Sync>;

/// What the head of a request says of its session.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) presented: Presented,
    pub(super) way: Way,
    pub(super) connection: Connection,
}

/// Everything that requests share.
pub(crate) struct Config {
    pub(super) wire: Wire,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) cookie_name: String,
    pub(super) keys: KeyRing,
    pub(super) cookies: Cookies,
    pub(super) transport: Transport,
    pub(super) vary: HeaderValue,
    pub(super) trusted_proxy: TrustedProxy,
    /// Whether the log says already that browsers drop the cookie.
    pub(super) doubted: AtomicBool,
    pub(super) cookie_lifetime: CookieLifetime,
    /// Where each session has a lifetime of its own: that of a new one.
    pub(super) first_lifetime: CookieLifetime,
    pub(super) lifetime: Lifetime,
    /// No session's own idle timeout is longer.
    pub(super) longest_idle: Duration,
    pub(super) rolling: Rolling,
    pub(super) resave: bool,
    pub(super) save_uninitialized: bool,
    pub(super) max_record_bytes: usize,
    pub(super) max_sessions: Option<usize>,
    pub(super) at_max_sessions: AtMaxSessions,
    pub(super) store_timeout: Duration,
    pub(super) clock: Clock,
    pub(super) new_id: IdGenerator,
    pub(super) names: Names,
    pub(super) turns: Turns,
    pub(super) endings: Endings,
}

impl Config {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)().into()
    }

    /// Where a store keeps a session.
    pub(super) fn key(&self, id: SessionId) -> StoreKey {
        match self.wire {
            Wire::Native => id.key(),
            Wire::Express => id.key_in_clear(),
        }
    }

    /// The idle timeout of its own with which a session begins.
    pub(super) fn begins_with(&self) -> Option<Duration> {
        match self.first_lifetime {
            CookieLifetime::BrowserSession => None,
            CookieLifetime::MaxAge(age) => Some(age),
            CookieLifetime::Expires(at) => Some(Timestamp::from(at).since(self.now())),
        }
    }

    pub(super) fn new_id(&self) -> SessionId {
        SessionId::from_bytes((self.new_id)())
    }

    /// Copies of a process draw the same numbers, as they do for [ids](crate::id::draw), and here too it is the
    /// time that parts them. A product with an odd number keeps different times apart.
    pub(super) fn new_revision(now: Timestamp) -> Revision {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        Revision::from_u64(fastrand::u64(..) ^ now.as_millis().wrapping_mul(ODD))
    }

    /// Whether untouched requests pay for the session too.
    pub(super) fn pays_always(&self) -> bool {
        self.resave || self.save_uninitialized || self.rolling == Rolling::EveryResponse
    }

    /// Reads what the head of a request says of its session.
    pub(super) fn arrival(&self, uri: &Uri, headers: &HeaderMap) -> Arrival {
        let (presented, way) = self.presented(headers);
        // Nobody asks once the log has said it, unless the cookie follows the connection.
        let matters = way == Way::Cookie
            && (self.wire == Wire::Express
                || self.follows_connection()
                || !self.doubted.load(Ordering::Relaxed));
        let connection = if matters {
            connection(uri, headers, self.trusted_proxy)
        } else {
            Connection::default()
        };
        Arrival {
            presented,
            way,
            connection,
        }
    }

    fn follows_connection(&self) -> bool {
        matches!(&self.cookies, Cookies::Fixed(writers, _) if writers.follow_connection())
    }

    fn presented(&self, headers: &HeaderMap) -> (Presented, Way) {
        let (presented, way) = self.transport.read(headers, &self.cookie_name, &self.keys);
        match presented {
            Presented::Forged => events::forged(),
            Presented::Ambiguous => events::ambiguous(),
            Presented::Nothing | Presented::Token { .. } => {}
        }
        (presented, way)
    }

    /// Finds a session that is alive by the store's word and by today's timeouts.
    pub(super) async fn find(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<Live>, StoreError> {
        let key = self.key(id);
        let found = self.ask(self.store.load(key, now)).await?;
        let alive = found.filter(|stored| self.is_alive(&stored.record, stored.expires, now));
        if alive.is_none() {
            self.endings.announce(key);
        }
        Ok(alive.map(|stored| Live::new(id, key, stored)))
    }

    /// Asks for the session of a request.
    pub(super) fn look_up(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        if self.touches_late() {
            self.store.load(key, now)
        } else {
            self.store.load_and_touch(key, self.lifetime, now)
        }
    }

    /// Whether a touch has to wait for the commit: where a cookie follows it, which must not go out for
    /// a session that another request has ended meanwhile.
    fn touches_late(&self) -> bool {
        self.cookie_lifetime != CookieLifetime::BrowserSession
            || self.rolling == Rolling::EveryResponse
    }

    /// Whether a session that the store has counts by today's timeouts.
    pub(super) fn is_alive(&self, record: &Record, expires: Timestamp, now: Timestamp) -> bool {
        self.lifetime_of(record).alive(record.created, expires, now)
    }

    /// Removes a session; `false` where there was no live one.
    pub(super) async fn remove(&self, key: StoreKey) -> Result<bool, StoreError> {
        let removed = self.ask(self.store.remove(key, self.now())).await?;
        self.endings.announce(key);
        Ok(removed)
    }

    /// Waits for a store, but not longer than `store_timeout`.
    pub(super) async fn ask<T>(&self, answer: Answer<'_, T>) -> Result<T, StoreError> {
        match answer.at_once() {
            Ok(result) => result,
            // Boxed, so that whoever asks a store in memory has no room for a timer.
            Err(later) => Box::pin(self.wait(later)).await,
        }
    }

    /// As [`ask`](Self::ask), where the answer is not at hand.
    pub(super) async fn wait<T>(&self, later: Later<'_, T>) -> Result<T, StoreError> {
        let answer = tokio::time::timeout(self.store_timeout, later).await;
        answer.unwrap_or(Err(StoreError::TimedOut))
    }

    pub(super) fn lifetime_of(&self, record: &Record) -> Lifetime {
        Lifetime {
            idle: record
                .idle
                .map_or(self.lifetime.idle, |own| own.min(self.longest_idle)),
            ..self.lifetime
        }
    }

    pub(super) fn deadline(&self, record: &Record, now: Timestamp) -> Timestamp {
        self.lifetime_of(record).deadline(record.created, now)
    }

    /// The instant from which a session is dead, unless it is touched.
    pub(super) fn end(&self, live: &Live) -> Timestamp {
        let lifetime = self.lifetime_of(&live.record);
        lifetime.end(live.record.created, live.expires)
    }

    pub(super) fn touch_due(&self, live: &Live, now: Timestamp) -> bool {
        let lifetime = self.lifetime_of(&live.record);
        lifetime.touch_due(live.record.created, live.expires, now)
    }

    /// How long the browser keeps the cookie of this session: as long as the store keeps the record.
    pub(super) fn cookie_lifetime(&self, live: &Live) -> CookieLifetime {
        if !self.is_persistent(live) {
            return CookieLifetime::BrowserSession;
        }
        // Express says no `Max-Age`.
        let says_when = matches!(self.cookie_lifetime, CookieLifetime::Expires(_));
        if says_when || self.wire == Wire::Express {
            return CookieLifetime::Expires(live.expires.into());
        }
        let left = live.expires.since(self.now());
        // A cookie has whole seconds. It must not end sooner than its record; later it opens nothing.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        CookieLifetime::MaxAge(Duration::from_secs(seconds.max(1)))
    }

    /// Whether a cookie goes out over this connection, and says once where it is to no avail: browsers drop
    /// a `Secure` one that arrives over plain http, and Express sends none.
    pub(super) fn sends(&self, writer: &CookieWriter, connection: Connection) -> bool {
        if !writer.is_secure() || connection == Connection::Https {
            return true;
        }
        let withholds = self.wire == Wire::Express;
        let is_dropped = withholds || connection == Connection::Plain;
        if is_dropped && !self.doubted.swap(true, Ordering::Relaxed) {
            if withholds {
                events::withheld();
            } else {
                events::dropped_by_browsers();
            }
        }
        !withholds
    }

    /// Whether the cookie outlives the browser: by the layer's options, or by this session's own.
    pub(super) fn is_persistent(&self, live: &Live) -> bool {
        self.cookie_lifetime != CookieLifetime::BrowserSession || live.record.idle.is_some()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("cookie_name", &self.cookie_name)
            .field("lifetime", &self.lifetime)
            .field("rolling", &self.rolling)
            .field("awaited", &self.endings)
            .finish_non_exhaustive()
    }
}
