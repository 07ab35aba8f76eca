//! Settings of a layer, checked before one is built; the names of express-session where there are some.

mod build;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::config::{AtMaxSessions, Clock, IdGenerator, Rolling};
use super::connection::TrustedProxy;
use super::cookies::{CookieSource, Head};
use super::service::SessionLayer;
use super::timeouts::Timeouts;
use super::transport::Transport;
use crate::cookie::CookieOptions;
use crate::id::{self, ID_BYTES};
use crate::secret::Secret;
use crate::store::SessionStore;
use crate::wire::Wire;

const DEFAULT_NAME: &str = "__Host-sid";
const EXPRESS_NAME: &str = "connect.sid";
const DEFAULT_RECORD_BYTES: usize = 64 * 1024;
const DEFAULT_STORE_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_IDLE: Duration = Duration::from_hours(24);
const DEFAULT_ABSOLUTE: Duration = Duration::from_hours(24 * 30);

impl SessionLayer {
    /// Makes a layer with safe defaults: a signed `__Host-sid` cookie that is `HttpOnly`, `Secure` and
    /// `SameSite=Lax` and ends with the browser, 24 hours of idleness, 30 days in all.
    ///
    /// # Panics
    ///
    /// If the secret or the store is one for [`Wire::Express`], which only the [`builder`](Self::builder) sets.
    #[must_use]
    pub fn new(store: impl SessionStore, secret: Secret) -> Self {
        Self::builder(store, secret)
            .build()
            .expect("a layer with the defaults has a secret and a store of this library's form")
    }

    /// Begins a layer with settings of its own.
    pub fn builder<'a>(store: impl SessionStore, secret: Secret) -> SessionLayerBuilder<'a> {
        SessionLayerBuilder::new(Arc::new(store), secret)
    }
}

/// Builds a [`SessionLayer`] with settings of its own.
#[must_use = "a builder does nothing until `build`"]
pub struct SessionLayerBuilder<'a> {
    store: Arc<dyn SessionStore>,
    secret: Secret,
    previous_secrets: Vec<Secret>,
    wire: Wire,
    name: Option<String>,
    cookie: CookieSource<'a>,
    transport: Transport,
    trusted_proxy: TrustedProxy,
    idle_timeout: Option<Duration>,
    longest_idle: Duration,
    absolute_timeout: Option<Duration>,
    rolling: Rolling,
    resave: bool,
    save_uninitialized: bool,
    max_record_bytes: usize,
    max_sessions: Option<usize>,
    at_max_sessions: AtMaxSessions,
    store_timeout: Duration,
    clock: Clock,
    new_id: IdGenerator,
}

impl<'a> SessionLayerBuilder<'a> {
    fn new(store: Arc<dyn SessionStore>, secret: Secret) -> Self {
        Self {
            store,
            secret,
            previous_secrets: Vec::new(),
            wire: Wire::default(),
            name: None,
            cookie: CookieSource::Fixed(CookieOptions::new()),
            transport: Transport::default(),
            trusted_proxy: TrustedProxy::default(),
            idle_timeout: None,
            longest_idle: Duration::MAX,
            absolute_timeout: None,
            rolling: Rolling::default(),
            resave: false,
            save_uninitialized: false,
            max_record_bytes: DEFAULT_RECORD_BYTES,
            max_sessions: None,
            at_max_sessions: AtMaxSessions::default(),
            store_timeout: DEFAULT_STORE_TIMEOUT,
            clock: Arc::new(SystemTime::now),
            new_id: Arc::new(|| id::draw(SystemTime::now())),
        }
    }

    /// Speaks the formats of [`Wire::Express`], for an Express app on the same live sessions; its own by
    /// default.
    ///
    /// The cookie is then named `connect.sid` unless [`name`](Self::name) says otherwise, a `max_age` is
    /// each session's own, as Express keeps it in the record, and takes the place of
    /// [`idle_timeout`](Self::idle_timeout), be it longer or shorter. What a session object has no place for is
    /// refused: an absolute timeout, `max_sessions`, a transport by header.
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Names the cookie; `__Host-sid` by default. Each application of a host needs a name of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the cookie's scope and lifetime.
    pub fn cookie(mut self, options: CookieOptions<'a>) -> Self {
        self.cookie = CookieSource::Fixed(options);
        self
    }

    /// Sets the cookie's scope and lifetime for each request by itself, in the place of
    /// [`cookie`](Self::cookie): a domain for each tenant, `Partitioned` only where a page is embedded.
    ///
    /// ```
    /// use session_runtime::{CookieOptions, MemoryStore, SameSite, Secret, SessionLayer};
    ///
    /// let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
    ///     .cookie_for(|head| {
    ///         let is_embedded = head.uri().path().starts_with("/embed/");
    ///         let same_site = if is_embedded { SameSite::None } else { SameSite::Lax };
    ///         CookieOptions::new().partitioned(is_embedded).same_site(same_site)
    ///     })
    ///     .build()?;
    /// # Ok::<(), session_runtime::ConfigError>(())
    /// ```
    ///
    /// The function is called with every request that comes to the layer, used or not, and before
    /// anything inside sees it; it may borrow from the request. A removal repeats what the function says
    /// for its request. So path, domain and `partitioned` have to be the same for all requests that one
    /// cookie goes with, else a browser keeps several.
    ///
    /// What a browser would reject is sent to none: a handler that takes a session answers 500, and the
    /// log says why. A domain has to cover the request's host.
    ///
    /// A `max_age` counts where a session begins, or is cleared: the record keeps it as the session's own
    /// idle timeout, as [`set_max_age`](crate::SessionHandle::set_max_age) does, so that the cookie and the
    /// record end together whatever the function says later. `idle_timeout`, where it is set, still counts
    /// if it is shorter, but for [`Wire::Express`]. `expires`, the end of all sessions at once, is refused.
    pub fn cookie_for(
        mut self,
        options: impl Fn(Head<'_>) -> CookieOptions<'_> + Send + Sync + 'static,
    ) -> Self {
        self.cookie = CookieSource::ByRequest(Box::new(options));
        self
    }

    /// Says how the token travels; in the cookie by default.
    ///
    /// The name of the layer still counts where no cookie is set: a token is made for one name.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Believes this proxy when it says that a request came over https; nobody is believed by default.
    ///
    /// It decides what [`Secure::Auto`](crate::Secure::Auto) and
    /// [`SameSite::Auto`](crate::SameSite::Auto) are. A server that speaks https itself, or only behind
    /// such a proxy, needs neither: the cookie is `Secure` by default.
    pub fn trusted_proxy(mut self, proxy: TrustedProxy) -> Self {
        self.trusted_proxy = proxy;
        self
    }

    /// Also accepts what these secrets signed, and signs it anew; for replacing a secret without
    /// logging anybody out. Drop them once the sessions they signed have ended.
    pub fn previous_secrets(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.previous_secrets = secrets.into_iter().collect();
        self
    }

    /// Ends a session that nobody has used for this long, whatever its cookie says; beside Express one without
    /// a `max_age` of its own, as connect-redis' `ttl` does.
    ///
    /// Unless it is set, it is what the cookie's `max_age` is, and without one 24 hours.
    pub fn idle_timeout(mut self, idle: Duration) -> Self {
        self.idle_timeout = Some(idle);
        self
    }

    /// Ends a session this long after it was first stored, used or not; 30 days by default.
    pub fn absolute_timeout(mut self, absolute: Duration) -> Self {
        self.absolute_timeout = Some(absolute);
        self
    }

    /// Sets both timeouts, by a [level of NIST](Timeouts) or by values of one's own.
    ///
    /// Of this, `idle_timeout` and `absolute_timeout` the last call wins. It sets a limit too, which
    /// those two do not: [`set_max_age`](crate::SessionHandle::set_max_age) gives no session more than
    /// `idle`, or than a later `idle_timeout` if that is longer.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        let Timeouts { idle, absolute } = timeouts;
        self.idle_timeout = Some(idle);
        self.longest_idle = idle;
        self.absolute_timeout = Some(absolute);
        self
    }

    /// Says when a cookie that outlives the browser is sent again.
    pub fn rolling(mut self, rolling: Rolling) -> Self {
        self.rolling = rolling;
        self
    }

    /// Stores an existing session after every request, though nobody changed it; off by default.
    ///
    /// Every request then loads and writes its session, as in express-session. No store of sessile
    /// needs it.
    pub fn resave(mut self, resave: bool) -> Self {
        self.resave = resave;
        self
    }

    /// Stores a session for every visitor, though nobody put anything into it; off by default.
    ///
    /// Every first request then writes a record and sets a cookie, as in express-session, robots'
    /// requests included.
    pub fn save_uninitialized(mut self, save: bool) -> Self {
        self.save_uninitialized = save;
        self
    }

    /// Refuses to store a session that takes more than this; 64 KiB by default.
    pub fn max_record_bytes(mut self, max: usize) -> Self {
        self.max_record_bytes = max;
        self
    }

    /// Lets an owner have so many sessions at once; any number by default. It is checked at a sign-in:
    /// [`AtMaxSessions`] says what happens to one more, by default the oldest session ends.
    ///
    /// Who owns a session says a field with `#[session(owner)]`.
    pub fn max_sessions(mut self, max: usize) -> Self {
        self.max_sessions = Some(max);
        self
    }

    /// Says what happens to a sign-in by an owner who has as many sessions as allowed.
    pub fn at_max_sessions(mut self, then: AtMaxSessions) -> Self {
        self.at_max_sessions = then;
        self
    }

    /// Bounds each call to the store; 2 seconds by default. A request makes at most two calls, but for
    /// conflicts and for what its handler asks by `update`, `save` and `reload`.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Makes the 24 bytes of a new id, in the place of the thread's generator, which the operating system seeds
    /// and which is mixed with the time.
    ///
    /// An id is all that an attacker has to guess: at least 16 of the bytes must be random.
    pub fn id_generator(
        mut self,
        generator: impl Fn() -> [u8; ID_BYTES] + Send + Sync + 'static,
    ) -> Self {
        self.new_id = Arc::new(generator);
        self
    }

    /// Reads the time from `clock`, in the place of the system's: for tests.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl fmt::Debug for SessionLayerBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayerBuilder")
            .field("name", &self.name)
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}
