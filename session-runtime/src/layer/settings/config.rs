//! Everything that the requests of a layer share; built once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Uri};

use super::names::{NameTaken, Names};
use crate::cookie::{Connection, CookieLifetime, CookieWriter};
use crate::data::Shape;
use crate::expiry::Timestamp;
use crate::id::{ID_BYTES, SessionId, StoreKey};
use crate::layer::backend::{Asked, Backend, Drain};
use crate::layer::events;
use crate::layer::http::{Arrival, Cookies, Former, Transport, TrustedProxy, connection};
use crate::protocol::{Question, Reply, Rules};
use crate::record::{OwnerKey, Revision};
use crate::store::{StoreError, Stored};
use crate::token::{Tokens, Way};

pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
pub(super) type IdGenerator = Arc<dyn Fn() -> [u8; ID_BYTES] + Send + Sync>;

/// Everything that requests share.
pub(crate) struct Config {
    pub(crate) rules: Rules,
    pub(in crate::layer) backend: Backend,
    pub(in crate::layer) drain: Arc<Drain>,
    pub(in crate::layer) cookie_name: String,
    pub(in crate::layer) tokens: Tokens,
    pub(in crate::layer) cookies: Cookies,
    /// The cookies of earlier deploys.
    pub(in crate::layer) former: Vec<Former>,
    pub(in crate::layer) transport: Transport,
    pub(in crate::layer) vary: HeaderValue,
    pub(super) trusted_proxy: TrustedProxy,
    /// The log says already that browsers drop the cookie.
    pub(super) warned_insecure: AtomicBool,
    pub(super) cookie_lifetime: CookieLifetime,
    /// The lifetime of a new session, where each has one of its own.
    pub(super) initial_lifetime: CookieLifetime,
    pub(super) clock: Clock,
    pub(super) new_id: IdGenerator,
    pub(super) names: Names,
}

impl Config {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)().into()
    }

    /// The idle timeout of its own with which a session begins.
    pub(in crate::layer) fn initial_idle(&self) -> Option<Duration> {
        match self.initial_lifetime {
            CookieLifetime::BrowserSession => None,
            CookieLifetime::MaxAge(age) => Some(age),
            CookieLifetime::Expires(at) => Some(Timestamp::from(at).since(self.now())),
        }
    }

    pub(in crate::layer) fn new_id(&self) -> SessionId {
        SessionId::from_bytes((self.new_id)())
    }

    /// Draws a revision. Copies of a process draw the same numbers, as they do for [ids](crate::id::draw), and
    /// here too the time parts them. A product with an odd number keeps different times apart.
    pub(in crate::layer) fn new_revision(now: Timestamp) -> Revision {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        Revision::from_u64(fastrand::u64(..) ^ now.as_millis().wrapping_mul(ODD))
    }

    /// Reads what the head of a request says of its session.
    pub(in crate::layer) fn arrival(&self, uri: &Uri, headers: &HeaderMap) -> Arrival {
        let transport = &self.transport;
        let (presented, way) =
            transport.read(headers, &self.cookie_name, &self.tokens, &self.former);
        if presented.has_forged && presented.candidates.is_empty() {
            events::forged();
        }
        // The connection decides about the cookie in some layers; in others it is for a warning that comes once.
        let matters = way == Way::Cookie
            && (!self.rules.dialect.sends_secure_over_http()
                || self.cookies.follow_connection()
                || self.former.iter().any(|former| former.follows_connection)
                || !self.warned_insecure.load(Ordering::Relaxed));
        let connection = if matters {
            connection(uri, headers, self.trusted_proxy)
        } else {
            Connection::default()
        };
        let has_former_cookie = transport.has_former(headers, &self.former);
        Arrival {
            candidates: presented.candidates,
            has_former_cookie,
            way,
            connection,
        }
    }

    /// Asks the store one question.
    pub(in crate::layer) fn ask(&self, question: Question, now: Timestamp) -> Asked<'_> {
        let ends = |new: &Stored| self.rules.end(&new.record, new.expires);
        self.backend.ask(question, self.rules.lifetime, ends, now)
    }

    /// Asks the store one question, and waits for the reply.
    async fn reply(&self, question: Question, now: Timestamp) -> Result<Reply, StoreError> {
        match self.ask(question, now) {
            Asked::Now(reply) => reply,
            Asked::Later(waiting) => self.backend.wait(waiting).await,
        }
    }

    /// Finds a session that is alive by the store's word and by today's timeouts.
    pub(in crate::layer) async fn find(&self, key: StoreKey) -> Result<Option<Stored>, StoreError> {
        let now = self.now();
        let found = match self.reply(Question::Load(key), now).await? {
            Reply::Loaded(found) => found,
            _ => None,
        };
        let alive = found.filter(|stored| self.rules.is_alive(stored, now));
        if alive.is_none() {
            self.backend.registry.ended(key);
        }
        Ok(alive)
    }

    /// The sessions of an owner that are alive by the store's word and by today's timeouts.
    pub(crate) async fn owned(
        &self,
        owner: OwnerKey,
    ) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        let now = self.now();
        let mut sessions = match self.reply(Question::OwnedBy(owner), now).await? {
            Reply::Owned(sessions) => sessions,
            _ => Vec::new(),
        };
        sessions.retain(|(_, stored)| self.rules.is_alive(stored, now));
        Ok(sessions)
    }

    /// An error where records do not say whose they are: to answer that nobody has sessions, or that none
    /// was to be ended, would be wrong.
    pub(crate) fn knows_owners(&self) -> Result<(), StoreError> {
        let checked = self.rules.dialect.check_owners();
        checked.map_err(StoreError::Unsupported)
    }

    /// Lets a struct in if its names are free: no other struct has them, nor Express's session object.
    pub(crate) fn claim(&self, shape: Shape) -> Result<(), NameTaken> {
        self.names.claim(shape, &self.rules.dialect)
    }

    /// How long the browser keeps the cookie of a session that ends then, if it outlives the browser.
    pub(in crate::layer) fn cookie_lifetime(&self, ends: Option<Timestamp>) -> CookieLifetime {
        let Some(ends) = ends else {
            return CookieLifetime::BrowserSession;
        };
        let is_at_once = matches!(self.cookie_lifetime, CookieLifetime::Expires(_));
        if is_at_once || !self.rules.dialect.sends_max_age() {
            return CookieLifetime::Expires(ends.into());
        }
        let left = ends.since(self.now());
        // A cookie has whole seconds. It must not end sooner than its record; later it opens nothing.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        CookieLifetime::MaxAge(Duration::from_secs(seconds.max(1)))
    }

    /// Returns `true` if a cookie goes out over this connection, and logs once if it is in vain: browsers drop
    /// a `Secure` one that arrives over plain http, and not every dialect sends one.
    pub(in crate::layer) fn sends(&self, writer: &CookieWriter, connection: Connection) -> bool {
        if !writer.is_secure() || connection == Connection::Https {
            return true;
        }
        let withholds = !self.rules.dialect.sends_secure_over_http();
        let is_dropped = withholds || connection == Connection::Plain;
        if is_dropped && !self.warned_insecure.swap(true, Ordering::Relaxed) {
            if withholds {
                events::withheld();
            } else {
                events::dropped_by_browsers();
            }
        }
        !withholds
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("cookie_name", &self.cookie_name)
            .field("lifetime", &self.rules.lifetime)
            .field("rolling", &self.rules.rolling)
            .field("awaited", &self.backend.registry)
            .finish_non_exhaustive()
    }
}
