//! Everything in which the formats of this library and those of Express differ; asks no store.
//!
//! A layer asks its [`Dialect`], and cannot see which one it is. The type of its secret decides.

mod express;
mod native;

use std::time::Duration;

pub use self::express::ExpressSecret;
#[cfg(feature = "redis")]
pub(crate) use self::express::read;
pub(crate) use self::express::{CookieObject, NO_OWNERS};
use crate::cookie::{CookieError, CookieLifetime, CookieOptions, CookieWriter};
use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::record::{Fields, Record};
use crate::secret::Secret;
use crate::token::Tokens;

/// The formats of a layer's cookies and records, and the rules that follow from them.
#[derive(Clone, Debug)]
pub(crate) struct Dialect(Format);

/// Known to this file alone: all that differs is a method of [`Dialect`].
#[derive(Clone, Copy, Debug)]
enum Format {
    Native,
    Express,
}

/// The cookie of a session, for one set of options and one kind of connection.
#[derive(Debug)]
pub(crate) struct SessionCookie {
    pub(crate) writer: CookieWriter,
    /// The same attributes as a record keeps them, where Express reads them there.
    pub(crate) object: Option<CookieObject>,
}

impl Dialect {
    pub(crate) const NATIVE: Self = Self(Format::Native);
    pub(crate) const EXPRESS: Self = Self(Format::Express);

    /// The name of a cookie that is given none.
    pub(crate) const fn cookie_name(&self) -> &'static str {
        match self.0 {
            Format::Native => native::COOKIE_NAME,
            Format::Express => express::COOKIE_NAME,
        }
    }

    /// The absolute timeout of a layer that is given none.
    pub(crate) fn absolute_timeout(&self) -> Duration {
        match self.0 {
            Format::Native => native::ABSOLUTE_TIMEOUT,
            // A session object does not say when it was made.
            Format::Express => Duration::MAX,
        }
    }

    /// The part of the cookie's lifetime that counts for all sessions, whenever they began.
    pub(crate) fn shared_lifetime(&self, cookie: CookieLifetime) -> CookieLifetime {
        match self.0 {
            Format::Native => cookie,
            Format::Express => CookieLifetime::BrowserSession,
        }
    }

    /// The part of the cookie's lifetime that each session begins with, and keeps as its own.
    pub(crate) fn initial_lifetime(&self, cookie: CookieLifetime) -> CookieLifetime {
        match self.0 {
            Format::Native => CookieLifetime::BrowserSession,
            Format::Express => cookie,
        }
    }

    /// The idle timeout of a session whose own cookie lasts for `max_age`, where the layer's is `idle`.
    pub(crate) fn own_idle(&self, max_age: Duration, idle: Option<Duration>) -> Duration {
        match (self.0, idle) {
            (Format::Native, Some(idle)) => idle.min(max_age),
            // Express takes `maxAge` in the place of the store's `ttl`.
            (Format::Native, None) | (Format::Express, _) => max_age,
        }
    }

    /// The cookie of this name for options of one connection, in which nothing is `Auto`.
    pub(crate) fn cookie(
        &self,
        name: &str,
        options: &CookieOptions<'_>,
    ) -> Result<SessionCookie, CookieError> {
        Ok(match self.0 {
            Format::Native => SessionCookie {
                writer: CookieWriter::new(name, options)?,
                object: None,
            },
            Format::Express => SessionCookie {
                writer: CookieWriter::with_attributes(name, options, express::attributes(options))?,
                object: Some(CookieObject::new(options)),
            },
        })
    }

    /// Is true if a cookie says by `Max-Age` how long it lasts; else it says by `Expires` when it ends.
    pub(crate) fn sends_max_age(&self) -> bool {
        match self.0 {
            Format::Native => true,
            Format::Express => false,
        }
    }

    /// Is true if a `Secure` cookie is sent over plain http. Browsers keep it if they trust the host.
    pub(crate) fn sends_secure_over_http(&self) -> bool {
        match self.0 {
            Format::Native => true,
            Format::Express => false,
        }
    }

    /// The key under which a store keeps a session.
    pub(crate) fn key(&self, id: SessionId) -> StoreKey {
        match self.0 {
            Format::Native => id.key(),
            Format::Express => id.key_in_clear(),
        }
    }

    /// The record as it is to be stored.
    pub(crate) fn seal(
        &self,
        record: Record,
        expires: Timestamp,
        cookie: Option<&CookieObject>,
    ) -> Record {
        match self.0 {
            Format::Native => record,
            Format::Express => express::seal(record, expires, cookie),
        }
    }

    /// The first field that differs from what stood `before` and holds an integer which the other readers of the
    /// record would read, and write back, as another.
    pub(crate) fn unsafe_integer(&self, before: &Fields, after: &Fields) -> Option<String> {
        match self.0 {
            Format::Native => None,
            Format::Express => express::unsafe_integer(before, after),
        }
    }

    /// The owner of a name that no struct can have.
    pub(crate) fn reserved_by(&self, name: &str) -> Option<&'static str> {
        match self.0 {
            Format::Native => None,
            Format::Express => express::is_reserved(name).then_some(express::NAME),
        }
    }

    /// Checks that records name their owners; an error says why they do not. To answer that nobody has
    /// sessions, or that none was to be ended, would then be wrong.
    pub(crate) fn check_owners(&self) -> Result<(), &'static str> {
        match self.0 {
            Format::Native => Ok(()),
            Format::Express => Err(NO_OWNERS),
        }
    }
}

/// The secrets of a layer: the first signs, all verify. Their type decides the dialect.
pub(crate) struct Secrets<S> {
    first: S,
    pub(crate) previous: Vec<S>,
    dialect: Dialect,
    tokens: fn(&str, &S, &[S]) -> Tokens,
}

impl Secrets<Secret> {
    pub(crate) fn native(first: Secret) -> Self {
        Self {
            first,
            previous: Vec::new(),
            dialect: Dialect::NATIVE,
            tokens: native::tokens,
        }
    }
}

impl Secrets<ExpressSecret> {
    pub(crate) fn express(first: ExpressSecret) -> Self {
        Self {
            first,
            previous: Vec::new(),
            dialect: Dialect::EXPRESS,
            tokens: express::tokens,
        }
    }
}

impl<S> Secrets<S> {
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect.clone()
    }

    /// The tokens of a cookie of this name.
    pub(crate) fn tokens(&self, name: &str) -> Tokens {
        (self.tokens)(name, &self.first, &self.previous)
    }
}
