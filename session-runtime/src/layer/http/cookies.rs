//! Which cookie a request's session has: the layer's, or what a function makes of the request's head.

use std::fmt;
use std::time::Duration;

use http::{Extensions, HeaderMap, Request, Uri};

use super::connection::{TrustedProxy, connection, host};
use crate::cookie::{ByConnection, Connection, CookieError, CookieLifetime, CookieOptions};
use crate::dialect::{Dialect, SessionCookie};
use crate::layer::settings::ConfigError;

/// The head of a request as it comes to the layer, for
/// [`cookie_for`](crate::SessionLayerBuilder::cookie_for): before a router has taken a prefix from its
/// path, and before anything inside the layer has changed its headers.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    uri: &'r Uri,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
    connection: Connection,
}

impl<'r> Head<'r> {
    /// The target of the request.
    #[must_use]
    pub fn uri(&self) -> &'r Uri {
        self.uri
    }

    /// The headers, which the visitor may have made up.
    #[must_use]
    pub fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// The findings of layers further out, such as the tenant.
    #[must_use]
    pub fn extensions(&self) -> &'r Extensions {
        self.extensions
    }

    /// The host that the visitor asked for, without a port.
    #[must_use]
    pub fn host(&self) -> Option<&'r str> {
        host(self.uri, self.headers)
    }

    /// Returns `true` if the visitor speaks https, by the scheme of the request or by the word of the
    /// [trusted proxy](crate::SessionLayerBuilder::trusted_proxy).
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.connection == Connection::Https
    }
}

/// Neither headers nor extensions print: the session's token is among them.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("path", &self.uri.path())
            .field("host", &self.host())
            .field("is_https", &self.is_https())
            .finish_non_exhaustive()
    }
}

type CookieFn = Box<dyn Fn(Head<'_>) -> CookieOptions<'_> + Send + Sync>;

/// The source of the options of the cookie.
pub(in crate::layer) enum CookieSource<'a> {
    Fixed(CookieOptions<'a>),
    ByRequest(CookieFn),
}

impl<'a> CookieSource<'a> {
    /// The options that all requests share. Where a function decides these are the defaults, whose cookie may
    /// have any name.
    pub(in crate::layer) fn fixed(&self) -> CookieOptions<'a> {
        match self {
            Self::Fixed(options) => *options,
            Self::ByRequest(_) => CookieOptions::new(),
        }
    }

    pub(in crate::layer) fn cookies(
        self,
        settings: CookieSettings,
    ) -> Result<Cookies, CookieError> {
        Ok(match self {
            Self::Fixed(options) => {
                let CookieSettings { dialect, name, .. } = &settings;
                let cookie = |connection| dialect.cookie(name, &options.on(connection));
                Cookies::Fixed {
                    cookies: ByConnection::try_new(cookie)?,
                    follow_connection: options.follow_connection(),
                }
            }
            Self::ByRequest(options) => Cookies::ByRequest { options, settings },
        })
    }
}

impl fmt::Debug for CookieSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(options) => options.fmt(f),
            Self::ByRequest(_) => f.write_str("by request"),
        }
    }
}

/// How a layer makes its cookies.
#[expect(clippy::large_enum_variant, reason = "a layer has one")]
pub(in crate::layer) enum Cookies {
    Fixed {
        cookies: ByConnection<SessionCookie>,
        /// An option is `Auto`, so that the cookies differ.
        follow_connection: bool,
    },
    ByRequest {
        options: CookieFn,
        settings: CookieSettings,
    },
}

/// The settings of a layer that concern a cookie which a function makes.
pub(in crate::layer) struct CookieSettings {
    pub(in crate::layer) dialect: Dialect,
    pub(in crate::layer) name: String,
    /// The idle timeout, where it was set.
    pub(in crate::layer) idle: Option<Duration>,
    pub(in crate::layer) absolute: Duration,
    pub(in crate::layer) trusted_proxy: TrustedProxy,
    /// The token travels in a header alone.
    pub(in crate::layer) is_unused: bool,
}

/// The cookie that a function has made of a request.
#[derive(Debug)]
pub(in crate::layer) struct OwnCookie {
    pub(in crate::layer) cookie: SessionCookie,
    pub(in crate::layer) connection: Connection,
    /// The idle timeout with which a session begins.
    pub(in crate::layer) max_age: Option<Duration>,
}

impl Cookies {
    /// The cookie that the function makes of a request, where there is one and a cookie is in question.
    pub(in crate::layer) fn of_request<B>(
        &self,
        request: &Request<B>,
    ) -> Option<Box<Result<OwnCookie, ConfigError>>> {
        let Self::ByRequest { options, settings } = self else {
            return None;
        };
        if settings.is_unused {
            return None;
        }
        let (uri, headers) = (request.uri(), request.headers());
        let head = Head {
            uri,
            headers,
            extensions: request.extensions(),
            connection: connection(uri, headers, settings.trusted_proxy),
        };
        let cookie = OwnCookie::new(settings, head, &options(head));
        Some(Box::new(cookie))
    }

    /// The cookie that all requests over such a connection share.
    pub(in crate::layer) fn on(&self, connection: Connection) -> Option<&SessionCookie> {
        match self {
            Self::Fixed { cookies, .. } => Some(cookies.on(connection)),
            Self::ByRequest { .. } => None,
        }
    }

    /// Returns `true` if the cookie depends on the connection.
    pub(in crate::layer) fn follow_connection(&self) -> bool {
        match self {
            Self::Fixed {
                follow_connection, ..
            } => *follow_connection,
            Self::ByRequest { .. } => false,
        }
    }
}

impl OwnCookie {
    fn new(
        settings: &CookieSettings,
        head: Head<'_>,
        options: &CookieOptions<'_>,
    ) -> Result<Self, ConfigError> {
        let connection = head.connection;
        let dialect = &settings.dialect;
        let cookie = dialect.cookie(&settings.name, &options.on(connection))?;
        check_host(head, options)?;
        let max_age = match options.lifetime() {
            CookieLifetime::BrowserSession => None,
            CookieLifetime::Expires(_) => return Err(ConfigError::ExpiresByRequest),
            CookieLifetime::MaxAge(age) => Some(age),
        };
        let (idle, absolute) = (settings.idle, settings.absolute);
        match max_age {
            Some(length) if length > absolute => Err(ConfigError::BeyondAbsolute {
                name: "the cookie's `max_age`",
                length,
                absolute,
            }),
            _ => Ok(Self {
                cookie,
                connection,
                max_age: max_age.map(|age| dialect.own_idle(age, idle)),
            }),
        }
    }
}

/// A browser takes a domain's cookie only from a host in it (RFC 6265bis, section 5.7). A request that
/// names no host is no browser's.
fn check_host(head: Head<'_>, options: &CookieOptions<'_>) -> Result<(), ConfigError> {
    let (Some(domain), Some(host)) = (options.domain, head.host()) else {
        return Ok(());
    };
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let parent = host.strip_suffix(&domain);
    if parent.is_some_and(|parent| parent.is_empty() || parent.ends_with('.')) {
        return Ok(());
    }
    Err(ConfigError::ForeignDomain { domain, host })
}
