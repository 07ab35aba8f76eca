//! Which cookie a request's session has: the layer's, or what a function makes of the request's head.

use std::fmt;
use std::time::Duration;

use http::{Extensions, HeaderMap, Request, Uri};

use super::config::Config;
use super::config_error::ConfigError;
use super::connection::{connection, host};
use super::transport::Transport;
use crate::cookie::{
    Connection, CookieError, CookieLifetime, CookieOptions, CookieWriter, CookieWriters,
};
use crate::express::{CookieObject, CookieObjects};
use crate::wire::Wire;

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

    /// What layers further out have found out, such as the tenant.
    #[must_use]
    pub fn extensions(&self) -> &'r Extensions {
        self.extensions
    }

    /// The host that the visitor asked for, without a port.
    #[must_use]
    pub fn host(&self) -> Option<&'r str> {
        host(self.uri, self.headers)
    }

    /// Whether the visitor speaks https, by the scheme of the request or by the word of the
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

/// Where the options of the cookie come from.
pub(super) enum CookieSource<'a> {
    Fixed(CookieOptions<'a>),
    ByRequest(CookieFn),
}

impl<'a> CookieSource<'a> {
    /// The options that all requests share: where a function decides, the defaults, whose cookie may have
    /// every name that another one may.
    pub(super) fn fixed(&self) -> CookieOptions<'a> {
        match self {
            Self::Fixed(options) => *options,
            Self::ByRequest(_) => CookieOptions::new(),
        }
    }

    pub(super) fn cookies(
        self,
        wire: Wire,
        name: &str,
        idle: Option<Duration>,
    ) -> Result<Cookies, CookieError> {
        Ok(match self {
            Self::Fixed(options) => {
                let objects =
                    (wire == Wire::Express).then(|| Box::new(CookieObjects::new(&options)));
                Cookies::Fixed(CookieWriters::on_wire(wire, name, &options)?, objects)
            }
            Self::ByRequest(options) => Cookies::ByRequest {
                options,
                // Beside Express a `max_age` takes its place.
                idle: idle.filter(|_| wire == Wire::Native),
            },
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
pub(super) enum Cookies {
    /// With what a session object says of them, where an Express app is to read it.
    Fixed(CookieWriters, Option<Box<CookieObjects>>),
    ByRequest {
        options: CookieFn,
        /// The idle timeout, where it was set: no `max_age` goes beyond it.
        idle: Option<Duration>,
    },
}

/// The cookie that a function has made of a request.
#[derive(Debug)]
pub(super) struct OwnCookie {
    pub(super) writer: CookieWriter,
    pub(super) object: Option<CookieObject>,
    pub(super) connection: Connection,
    /// The idle timeout with which a session begins.
    pub(super) max_age: Option<Duration>,
}

impl Config {
    /// What the function makes of a request, where there is one and a cookie is in question.
    pub(super) fn own_cookie<B>(
        &self,
        request: &Request<B>,
    ) -> Option<Box<Result<OwnCookie, ConfigError>>> {
        let Cookies::ByRequest { options, idle } = &self.cookies else {
            return None;
        };
        if matches!(self.transport, Transport::Header(_)) {
            return None;
        }
        let (uri, headers) = (request.uri(), request.headers());
        let head = Head {
            uri,
            headers,
            extensions: request.extensions(),
            connection: connection(uri, headers, self.trusted_proxy),
        };
        let cookie = OwnCookie::new(self, head, &options(head), *idle);
        Some(Box::new(cookie))
    }
}

impl OwnCookie {
    fn new(
        config: &Config,
        head: Head<'_>,
        options: &CookieOptions<'_>,
        idle: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let connection = head.connection;
        let settled = options.on(connection);
        let writer = CookieWriter::on_wire(config.wire, &config.cookie_name, &settled)?;
        check_host(head, options)?;
        let max_age = match options.lifetime() {
            CookieLifetime::BrowserSession => None,
            CookieLifetime::Expires(_) => return Err(ConfigError::ExpiresByRequest),
            CookieLifetime::MaxAge(age) => Some(age),
        };
        let absolute = config.lifetime.absolute;
        match max_age {
            Some(length) if length > absolute => Err(ConfigError::BeyondAbsolute {
                name: "the cookie's `max_age`",
                length,
                absolute,
            }),
            _ => Ok(Self {
                writer,
                object: (config.wire == Wire::Express).then(|| CookieObject::new(&settled)),
                connection,
                max_age: max_age.map(|age| idle.map_or(age, |idle| idle.min(age))),
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
