//! Checks that the settings of a layer go together, and builds it.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::super::config::Config;
use super::super::config_error::ConfigError;
use super::super::endings::Endings;
use super::super::names::Names;
use super::super::service::SessionLayer;
use super::super::transport::Transport;
use super::super::turns::Turns;
use super::{DEFAULT_ABSOLUTE, DEFAULT_IDLE, DEFAULT_NAME, EXPRESS_NAME, SessionLayerBuilder};
use crate::cookie::CookieLifetime;
use crate::expiry::{Lifetime, Timestamp};
use crate::secret::{KeyRing, Secret};
use crate::wire::Wire;

impl SessionLayerBuilder<'_> {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a browser would reject the cookie, a timeout contradicts another, the
    /// transport's header means something else, or the secret, the store or a setting does not go with the
    /// [`Wire`].
    pub fn build(mut self) -> Result<SessionLayer, ConfigError> {
        let wire = self.wire;
        let default_name = match wire {
            Wire::Native => DEFAULT_NAME,
            Wire::Express => EXPRESS_NAME,
        };
        let name = self.name.take().unwrap_or_else(|| default_name.to_owned());
        self.check_wire()?;
        self.cookie.fixed().check(&name)?;
        let lifetime = self.lifetime()?;
        if self.max_sessions == Some(0) {
            return Err(ConfigError::NoSessions);
        }
        self.transport.check()?;
        let (cookie_lifetime, first_lifetime) = match (wire, self.cookie.fixed().lifetime()) {
            (Wire::Native, shared) => (shared, CookieLifetime::BrowserSession),
            // Each session object has a lifetime, and begins with this one.
            (Wire::Express, first) => (CookieLifetime::BrowserSession, first),
        };
        let cookies = self.cookie.cookies(wire, &name, self.idle_timeout)?;
        Ok(SessionLayer::from_config(Config {
            wire,
            first_lifetime,
            keys: match wire {
                Wire::Native => KeyRing::new(&name, &self.secret, &self.previous_secrets),
                Wire::Express => KeyRing::of_express(&self.secret, &self.previous_secrets),
            },
            cookies,
            vary: self.transport.vary(),
            transport: self.transport,
            trusted_proxy: self.trusted_proxy,
            doubted: AtomicBool::new(false),
            cookie_lifetime,
            cookie_name: name,
            store: self.store,
            longest_idle: self.longest_idle.max(lifetime.idle),
            lifetime,
            rolling: self.rolling,
            resave: self.resave,
            save_uninitialized: self.save_uninitialized,
            max_record_bytes: self.max_record_bytes,
            max_sessions: self.max_sessions,
            at_max_sessions: self.at_max_sessions,
            store_timeout: self.store_timeout,
            clock: self.clock,
            new_id: self.new_id,
            names: Names::default(),
            turns: Turns::default(),
            endings: Endings::default(),
        }))
    }

    /// What another form of cookie and record asks of the other settings.
    fn check_wire(&self) -> Result<(), ConfigError> {
        if !self.store.speaks(self.wire) {
            return Err(ConfigError::ForeignStore(self.wire));
        }
        let mut secrets = std::iter::once(&self.secret).chain(&self.previous_secrets);
        match self.wire {
            Wire::Native if secrets.any(Secret::is_of_express) => Err(ConfigError::SecretOfExpress),
            Wire::Native => Ok(()),
            Wire::Express => {
                let settings = [
                    (self.absolute_timeout.is_some(), "an absolute timeout"),
                    (self.max_sessions.is_some(), "`max_sessions`"),
                    (self.transport != Transport::Cookie, "a transport by header"),
                ];
                let kept = settings.into_iter().find(|(is_set, _)| *is_set);
                kept.map_or(Ok(()), |(_, setting)| {
                    Err(ConfigError::NotBesideExpress(setting))
                })
            }
        }
    }

    /// A cookie that outlives the browser ends with its record: `max_age` is an idle timeout too, and
    /// `expires` an end for all. The shortest counts.
    fn lifetime(&self) -> Result<Lifetime, ConfigError> {
        let absolute = self.absolute_timeout.unwrap_or(match self.wire {
            Wire::Native => DEFAULT_ABSOLUTE,
            // A session object does not say when it was made.
            Wire::Express => Duration::MAX,
        });
        let (max_age, until) = match self.cookie.fixed().lifetime() {
            CookieLifetime::BrowserSession => (None, Timestamp::MAX),
            CookieLifetime::MaxAge(age) => (Some(age), Timestamp::MAX),
            CookieLifetime::Expires(at) => (None, at.into()),
        };
        check_length("absolute_timeout", Some(absolute), absolute)?;
        check_length("idle_timeout", self.idle_timeout, absolute)?;
        check_length("the cookie's `max_age`", max_age, absolute)?;
        if until <= (self.clock)().into() {
            return Err(ConfigError::Expired);
        }
        if self.wire == Wire::Express {
            return Ok(Lifetime {
                idle: self.idle_timeout.unwrap_or(DEFAULT_IDLE),
                absolute,
                until: Timestamp::MAX,
            });
        }
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
