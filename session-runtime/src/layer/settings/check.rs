//! Checks that the settings of a layer go together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use super::config::{Clock, Config, IdGenerator};
use super::config_error::ConfigError;
use super::names::Names;
use crate::cookie::{CookieLifetime, CookieOptions};
use crate::dialect::Dialect;
use crate::expiry::{Lifetime, Timestamp};
use crate::id;
use crate::layer::backend::{Backend, Drain};
use crate::layer::http::{CookieSettings, CookieSource, Former, Transport, TrustedProxy};
use crate::protocol::{AtMaxSessions, Rolling, Rules};
use crate::store::SessionStore;
use crate::token::Tokens;

const DEFAULT_RECORD_BYTES: usize = 64 * 1024;
const DEFAULT_STORE_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_IDLE: Duration = Duration::from_hours(24);

/// The settings of a layer, as they were asked for.
pub(super) struct Settings<'a> {
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) name: Option<String>,
    pub(super) cookie: CookieSource<'a>,
    pub(super) former_cookies: Vec<(String, CookieOptions<'a>)>,
    pub(super) transport: Transport,
    pub(super) trusted_proxy: TrustedProxy,
    pub(super) idle_timeout: Option<Duration>,
    /// No session's own idle timeout is longer.
    pub(super) longest_idle: Duration,
    pub(super) absolute_timeout: Option<Duration>,
    pub(super) rolling: Rolling,
    pub(super) resave: bool,
    pub(super) save_uninitialized: bool,
    pub(super) max_record_bytes: usize,
    pub(super) max_sessions: Option<usize>,
    pub(super) at_max_sessions: AtMaxSessions,
    pub(super) store_timeout: Duration,
    pub(super) clock: Clock,
    pub(super) new_id: IdGenerator,
}

impl Settings<'_> {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            name: None,
            cookie: CookieSource::Fixed(CookieOptions::new()),
            former_cookies: Vec::new(),
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

    /// Checks the settings. `tokens` makes those of a cookie's name.
    pub(super) fn check(
        mut self,
        dialect: Dialect,
        tokens: impl Fn(&str) -> Tokens,
    ) -> Result<Config, ConfigError> {
        let name = self.name.take();
        let name = name.unwrap_or_else(|| dialect.cookie_name().to_owned());
        let cookie = self.cookie.fixed();
        cookie.check(&name)?;
        let lifetime = self.lifetime(&dialect)?;
        if self.max_sessions == Some(0) {
            return Err(ConfigError::NoSessions);
        }
        self.transport.check()?;
        let is_current = |former: &(String, CookieOptions<'_>)| {
            let (theirs, options) = former;
            let same_scope = options.domain == cookie.domain
                && options.path == cookie.path
                && options.partitioned == cookie.partitioned;
            *theirs == name && same_scope
        };
        if matches!(self.cookie, CookieSource::Fixed(_))
            && self.former_cookies.iter().any(is_current)
        {
            return Err(ConfigError::FormerIsCurrent(name));
        }
        let former = self.former_cookies.into_iter().map(|(name, options)| {
            let tokens = tokens(&name);
            Former::new(&dialect, name, &options, tokens)
        });
        let former = former.collect::<Result<Vec<_>, _>>()?;
        let cookies = self.cookie.cookies(CookieSettings {
            dialect: dialect.clone(),
            name: name.clone(),
            idle: self.idle_timeout,
            absolute: lifetime.absolute,
            trusted_proxy: self.trusted_proxy,
            is_unused: matches!(self.transport, Transport::Header(_)),
        })?;
        let cookie_lifetime = dialect.shared_lifetime(cookie.lifetime());
        Ok(Config {
            initial_lifetime: dialect.initial_lifetime(cookie.lifetime()),
            cookie_lifetime,
            tokens: tokens(&name),
            cookie_name: name,
            cookies,
            former,
            vary: self.transport.vary(),
            transport: self.transport,
            trusted_proxy: self.trusted_proxy,
            warned_insecure: AtomicBool::new(false),
            backend: Backend::new(self.store, self.store_timeout),
            drain: Arc::<Drain>::default(),
            clock: self.clock,
            new_id: self.new_id,
            names: Names::default(),
            rules: Rules {
                dialect,
                longest_idle: self.longest_idle.max(lifetime.idle),
                lifetime,
                cookie_persists: cookie_lifetime != CookieLifetime::BrowserSession,
                rolling: self.rolling,
                resave: self.resave,
                save_uninitialized: self.save_uninitialized,
                max_record_bytes: self.max_record_bytes,
                max_sessions: self.max_sessions,
                at_max_sessions: self.at_max_sessions,
            },
        })
    }

    /// A cookie that outlives the browser ends with its record: `max_age` is an idle timeout too, and
    /// `expires` an end for all. The shortest counts.
    fn lifetime(&self, dialect: &Dialect) -> Result<Lifetime, ConfigError> {
        let absolute = self.absolute_timeout;
        let absolute = absolute.unwrap_or_else(|| dialect.absolute_timeout());
        let asked = self.cookie.fixed().lifetime();
        let (max_age, until) = limits(asked);
        check_length("absolute_timeout", Some(absolute), absolute)?;
        check_length("idle_timeout", self.idle_timeout, absolute)?;
        check_length("the cookie's `max_age`", max_age, absolute)?;
        if until <= (self.clock)().into() {
            return Err(ConfigError::Expired);
        }
        let (max_age, until) = limits(dialect.shared_lifetime(asked));
        let unless_set = if until == Timestamp::MAX {
            DEFAULT_IDLE.min(absolute)
        } else {
            absolute
        };
        let idle = self.idle_timeout.into_iter().chain(max_age).min();
        Ok(Lifetime {
            idle: idle.unwrap_or(unless_set),
            absolute,
            until,
        })
    }
}

/// The longest idle time and the last instant of a session whose cookie lasts so long.
fn limits(cookie: CookieLifetime) -> (Option<Duration>, Timestamp) {
    match cookie {
        CookieLifetime::BrowserSession => (None, Timestamp::MAX),
        CookieLifetime::MaxAge(age) => (Some(age), Timestamp::MAX),
        CookieLifetime::Expires(at) => (None, at.into()),
    }
}

fn check_length(
    name: &'static str,
    length: Option<Duration>,
    absolute: Duration,
) -> Result<(), ConfigError> {
    match length {
        Some(Duration::ZERO) => Err(ConfigError::Zero(name)),
        Some(length) if length > absolute => Err(ConfigError::BeyondAbsolute {
            name,
            length,
            absolute,
        }),
        _ => Ok(()),
    }
}
