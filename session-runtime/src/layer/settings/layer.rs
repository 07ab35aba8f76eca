//! A layer, and the builder that takes its settings; the names of express-session where there are some.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::check::Settings;
use super::config::Config;
use super::config_error::ConfigError;
use super::timeouts::Timeouts;
use crate::cookie::CookieOptions;
use crate::dialect::{ExpressSecret, Secrets};
use crate::id::ID_BYTES;
use crate::layer::http::{CookieSource, Head, Transport, TrustedProxy};
use crate::layer::sweep::Sweeper;
use crate::protocol::{AtMaxSessions, Rolling};
use crate::secret::Secret;
use crate::store::{ExpressSessionStore, SessionStore};

/// Gives the routes below it sessions: `Router::new().route(..).layer(sessions)`.
///
/// A clone shares the store, the secrets and the settings.
///
/// # The same layer twice
///
/// The layer sees by the status of a response that its handler failed: 5xx and 408 drop what the handler
/// changed. It cannot see that middleware further in (a timeout, a retry, a layer that catches panics) has
/// dropped the handler and answers something else. A clone of the layer around the handler can: the outer
/// one stores, and the inner one takes back what a handler did that was dropped, panicked, or answered 5xx
/// or 408.
///
/// ```
/// use axum::{Router, extract::Request, middleware::{Next, from_fn}, response::Response, routing::get};
/// use session_runtime::{MemoryStore, Secret, SessionLayer};
///
/// async fn try_twice(request: Request, next: Next) -> Response {
/// #   next.run(request).await
///     // ..
/// }
///
/// let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(sessions.clone())
///     .layer(from_fn(try_twice))
///     .layer(sessions);
/// ```
///
/// # Two layers
///
/// Two layers of different [names](SessionLayerBuilder::name) are two sessions; a handler gets that of the
/// inner one. Of two layers of one name the inner one serves the route, and the outer one does nothing once
/// that has answered.
///
/// # Runtime
///
/// It needs a runtime of tokio with timers, as `#[tokio::main]` makes one: for the deadline of a store, and to
/// sweep it.
#[derive(Clone, Debug)]
pub struct SessionLayer(pub(in crate::layer) Arc<Sweeper>);

impl SessionLayer {
    /// Makes a layer with safe defaults: a signed `__Host-sid` cookie that is `HttpOnly`, `Secure` and
    /// `SameSite=Lax` and ends with the browser, 24 hours of idleness, 30 days in all.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "the defaults go together, and no store or secret can change that"
    )]
    pub fn new(store: impl SessionStore, secret: Secret) -> Self {
        Self::builder(store, secret)
            .build()
            .expect("the defaults go together")
    }

    /// Begins a layer with settings of its own.
    pub fn builder<'a>(store: impl SessionStore, secret: Secret) -> SessionLayerBuilder<'a> {
        SessionLayerBuilder {
            secrets: Secrets::native(secret),
            settings: Settings::new(Arc::new(store)),
        }
    }

    /// Begins a layer in the formats of express-session 1.19 and connect-redis 9, for an Express app on the
    /// same live sessions: its store, and the secret that it signs with.
    ///
    /// The cookie is named `connect.sid` unless [`name`](SessionLayerBuilder::name) says otherwise. A
    /// `max_age` is each session's own, as Express keeps it in the record, and takes the place of
    /// [`idle_timeout`](SessionLayerBuilder::idle_timeout), be it longer or shorter. The settings of
    /// [`SessionLayerBuilder`] for which a session object has no place are not there.
    ///
    /// Ids lie in Redis in clear, as Express keeps them, and Express overwrites what was merged here. The
    /// guide [`from_express_session`](crate::from_express_session) says what is the same and what is not.
    ///
    /// ```
    /// use session_runtime::{ExpressSecret, MemoryStore, SessionLayer};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // In a test; an application takes `RedisStore::beside_express`.
    /// let store = MemoryStore::new();
    /// let sessions = SessionLayer::beside_express(store, ExpressSecret::new("keyboard cat")?).build()?;
    /// # let _ = sessions;
    /// # Ok(())
    /// # }
    /// ```
    pub fn beside_express<'a>(
        store: impl ExpressSessionStore,
        secret: ExpressSecret,
    ) -> SessionLayerBuilder<'a, ExpressSecret> {
        SessionLayerBuilder {
            secrets: Secrets::express(secret),
            settings: Settings::new(store.into_shared()),
        }
    }

    /// Waits until no commit, end of a session, revocation or sweep of this layer is under way: before a
    /// server stops.
    ///
    /// A commit that has begun, and an end from [`destroy`](crate::SessionHandle::destroy) on, go on when their
    /// visitor closes the connection. After a graceful shutdown some may still be on their way to the store,
    /// and would be lost with the runtime. A call of the store takes at most
    /// [`store_timeout`](SessionLayerBuilder::store_timeout), so this does not wait forever. It refuses no
    /// new request: stop the server first.
    ///
    /// ```no_run
    /// # async fn serve(app: axum::Router, sessions: session_runtime::SessionLayer) -> std::io::Result<()> {
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// let stop = async { drop(tokio::signal::ctrl_c().await) };
    /// axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    /// sessions.drained().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn drained(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        Arc::clone(&self.config().drain).drained()
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        self.0.config()
    }
}

/// Builds a [`SessionLayer`] with settings of its own.
///
/// The type of the secret says which formats the layer has. Those of an [`ExpressSecret`] have no place for
/// an absolute timeout, owners or a token in a header, so such a builder has no setting for them:
///
/// ```compile_fail,E0599
/// # use session_runtime::{ExpressSecret, MemoryStore, SessionLayer};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, secret) = (MemoryStore::new(), ExpressSecret::new("keyboard cat")?);
/// let sessions = SessionLayer::beside_express(store, secret).max_sessions(3).build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct SessionLayerBuilder<'a, S = Secret> {
    secrets: Secrets<S>,
    settings: Settings<'a>,
}

impl<'a, S> SessionLayerBuilder<'a, S> {
    /// Names the cookie; `__Host-sid` by default, `connect.sid` beside Express. Each application of a host
    /// needs a name of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Sets the cookie's scope and lifetime.
    pub fn cookie(mut self, options: CookieOptions<'a>) -> Self {
        self.settings.cookie = CookieSource::Fixed(options);
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
    /// A cookie that browsers would reject is not sent: a handler that takes a session answers 500, and the
    /// log says why. A domain has to cover the request's host.
    ///
    /// A `max_age` counts where a session begins, or is cleared: the record keeps it as the session's own
    /// idle timeout, as [`set_max_age`](crate::SessionHandle::set_max_age) does, so that the cookie and the
    /// record end together whatever the function says later. `idle_timeout`, where it is set, still counts
    /// if it is shorter, except beside Express. `expires`, the end of all sessions at once, is refused.
    pub fn cookie_for(
        mut self,
        options: impl Fn(Head<'_>) -> CookieOptions<'_> + Send + Sync + 'static,
    ) -> Self {
        self.settings.cookie = CookieSource::ByRequest(Box::new(options));
        self
    }

    /// Names a cookie of an earlier deploy: its name, and the options that say its scope (domain, path,
    /// `partitioned`, `secure`). Call it once for each.
    ///
    /// A browser keeps cookies of one name apart by domain, path and partition, so that a cookie of a former
    /// scope stays beside the new one, and comes with each request. A token under a former name still opens
    /// its session, so nobody is logged out. The next response that stores the session, moves its end or
    /// ends it removes the former cookies, and gives the new one where the session lives on. Browsers remove
    /// a cookie only in its own scope, so the options have to be those of before.
    ///
    /// Drop the line once the sessions of that time have ended.
    ///
    /// ```
    /// use session_runtime::{CookieOptions, MemoryStore, Secret, SessionLayer};
    ///
    /// let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
    ///     .former_cookie("sid", CookieOptions::new().domain("example.com"))
    ///     .build()?;
    /// # Ok::<(), session_runtime::ConfigError>(())
    /// ```
    pub fn former_cookie(mut self, name: impl Into<String>, options: CookieOptions<'a>) -> Self {
        self.settings.former_cookies.push((name.into(), options));
        self
    }

    /// Believes this proxy when it says that a request came over https; nobody is believed by default.
    ///
    /// It decides what [`Secure::Auto`](crate::Secure::Auto) and
    /// [`SameSite::Auto`](crate::SameSite::Auto) are. A server that speaks https itself, or only behind
    /// such a proxy, needs neither: the cookie is `Secure` by default.
    pub fn trusted_proxy(mut self, proxy: TrustedProxy) -> Self {
        self.settings.trusted_proxy = proxy;
        self
    }

    /// Also accepts what these secrets signed, and signs it anew; for replacing a secret without
    /// logging anybody out. Drop them once the sessions they signed have ended.
    ///
    /// They are of the same type as the first, whose formats the layer has.
    pub fn previous_secrets(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.previous = secrets.into_iter().collect();
        self
    }

    /// Ends a session that nobody has used for this long, whatever its cookie says; beside Express one without
    /// a `max_age` of its own, as connect-redis' `ttl` does.
    ///
    /// Unless it is set, it is what the cookie's `max_age` is, and without one 24 hours.
    pub fn idle_timeout(mut self, idle: Duration) -> Self {
        self.settings.idle_timeout = Some(idle);
        self
    }

    /// Says when a cookie that outlives the browser is sent again.
    pub fn rolling(mut self, rolling: Rolling) -> Self {
        self.settings.rolling = rolling;
        self
    }

    /// Stores an existing session after every request, though nobody changed it; off by default.
    ///
    /// Every request then loads and writes its session, as in express-session. No store of sessile
    /// needs it.
    pub fn resave(mut self, resave: bool) -> Self {
        self.settings.resave = resave;
        self
    }

    /// Stores a session for every visitor, though nobody put anything into it; off by default.
    ///
    /// Every first request then writes a record and sets a cookie, as in express-session, robots'
    /// requests included.
    pub fn save_uninitialized(mut self, save: bool) -> Self {
        self.settings.save_uninitialized = save;
        self
    }

    /// Refuses to store a session that takes more than this; 64 KiB by default.
    pub fn max_record_bytes(mut self, max: usize) -> Self {
        self.settings.max_record_bytes = max;
        self
    }

    /// Bounds each call to the store; 2 seconds by default. A request makes at most two calls, but for
    /// conflicts and for what its handler asks by `update`, `save` and `reload`.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
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
        self.settings.new_id = Arc::new(generator);
        self
    }

    /// Reads the time from `clock`, in the place of the system's: for tests.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a browser would reject the cookie, a timeout contradicts another, or the
    /// transport's header means something else.
    pub fn build(self) -> Result<SessionLayer, ConfigError> {
        let dialect = self.secrets.dialect();
        let config = self
            .settings
            .check(dialect, |name| self.secrets.tokens(name))?;
        Ok(SessionLayer(Arc::new(Sweeper::new(config))))
    }
}

/// Settings that a session object of Express has no place for.
impl SessionLayerBuilder<'_> {
    /// Says how the token travels; in the cookie by default.
    ///
    /// The name of the layer still counts where no cookie is set: a token is made for one name.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.settings.transport = transport;
        self
    }

    /// Ends a session this long after it was first stored, used or not; 30 days by default.
    pub fn absolute_timeout(mut self, absolute: Duration) -> Self {
        self.settings.absolute_timeout = Some(absolute);
        self
    }

    /// Sets both timeouts, by a [level of NIST](Timeouts) or by values of one's own.
    ///
    /// Of this, `idle_timeout` and `absolute_timeout` the last call wins. It sets a limit too, which
    /// those two do not: [`set_max_age`](crate::SessionHandle::set_max_age) gives no session more than
    /// `idle`, or than a later `idle_timeout` if that is longer.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        let Timeouts { idle, absolute } = timeouts;
        self.settings.idle_timeout = Some(idle);
        self.settings.longest_idle = idle;
        self.settings.absolute_timeout = Some(absolute);
        self
    }

    /// Lets an owner have so many sessions at once; any number by default. It is checked at a sign-in:
    /// [`AtMaxSessions`] says what happens to one more, by default the oldest session ends.
    ///
    /// A field with `#[session(owner)]` names the owner of a session.
    pub fn max_sessions(mut self, max: usize) -> Self {
        self.settings.max_sessions = Some(max);
        self
    }

    /// Says what happens to a sign-in by an owner who has as many sessions as allowed.
    pub fn at_max_sessions(mut self, then: AtMaxSessions) -> Self {
        self.settings.at_max_sessions = then;
        self
    }
}

impl<S> fmt::Debug for SessionLayerBuilder<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayerBuilder")
            .field("name", &self.settings.name)
            .field("cookie", &self.settings.cookie)
            .finish_non_exhaustive()
    }
}
