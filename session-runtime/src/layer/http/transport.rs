//! Knows which header carries a session's token in, and which one out; judges none.

use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::former::Former;
use crate::cookie;
use crate::id::SessionId;
use crate::layer::settings::ConfigError;
use crate::token::{Presented, Tokens, Way};

/// How a session's token travels: in a cookie, or for applications that keep none, in a header of
/// their own.
///
/// ```
/// use http::HeaderName;
/// use session_runtime::{MemoryStore, Secret, SessionLayer, Transport};
///
/// let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
///     .transport(Transport::Either(HeaderName::from_static("x-session")))
///     .build()?;
/// # Ok::<(), session_runtime::ConfigError>(())
/// ```
///
/// A client of the header has one rule to keep: **send the value that the header last came back with,
/// and at first an empty one.** A response has the header only where a cookie would be set, or removed:
/// with another token for a new session or a new id, and empty once the session was destroyed.
///
/// A token in a header has no lifetime and no scope: the client keeps it as long, and sends it as far,
/// as it likes, and the server alone ends the session. It belongs into the memory or the key store of
/// a native application. In a browser every script of the page can read it, which
/// [`http_only`](crate::CookieOptions::http_only) keeps from a cookie's; one of another origin only if
/// `Access-Control-Expose-Headers` names the header.
///
/// A token is read nowhere else: not in the query, which logs and `Referer` give away, nor in a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// In the cookie.
    #[default]
    Cookie,
    /// In a header of this name, both ways; no cookie is read or set.
    Header(HeaderName),
    /// In either, and the answer goes the way the request came.
    ///
    /// It goes into the header where the request has one, though empty, and no valid token came in a
    /// cookie: a script must not get at the token of an `HttpOnly` cookie by asking for the header. Valid
    /// tokens of different sessions, one in each, are no session, as two such cookies are.
    Either(HeaderName),
}

impl Transport {
    pub(in crate::layer) fn check(&self) -> Result<(), ConfigError> {
        match self.header() {
            Some(name) if is_taken(name.as_str()) => Err(ConfigError::HeaderTaken(name.clone())),
            _ => Ok(()),
        }
    }

    /// Reads the tokens of a request, and the way of its answer.
    pub(in crate::layer) fn read(
        &self,
        headers: &HeaderMap,
        cookie_name: &str,
        tokens: &Tokens,
        former: &[Former],
    ) -> (Presented, Way) {
        let mut presented = Presented::default();
        // The header's first: cookies that a neighbour has planted must not crowd it out.
        if let Some(name) = self.header() {
            let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
            tokens.judge(&mut presented, Way::Header, lines, false);
        }
        if !matches!(self, Self::Header(_)) {
            let values = cookie::values(headers, cookie_name);
            tokens.judge(&mut presented, Way::Cookie, values, false);
            for former in former.iter().filter(|former| former.name() != cookie_name) {
                let values = cookie::values(headers, former.name());
                former
                    .tokens()
                    .judge(&mut presented, Way::Cookie, values, true);
            }
        }
        let asks_for_header = match self {
            Self::Cookie => false,
            Self::Header(_) => true,
            Self::Either(name) => headers.contains_key(name),
        };
        let asked = if asks_for_header {
            Way::Header
        } else {
            Way::Cookie
        };
        let way = presented.way.unwrap_or(asked);
        (presented, way)
    }

    /// Returns `true` if the request has a cookie of an earlier deploy. One of the same name cannot be told from
    /// the new one, and counts.
    pub(in crate::layer) fn has_former(&self, headers: &HeaderMap, former: &[Former]) -> bool {
        let is_there = |former: &Former| cookie::values(headers, former.name()).next().is_some();
        !matches!(self, Self::Header(_)) && former.iter().any(is_there)
    }

    /// Puts a token into the response: a cookie is added to the handler's own, a header takes the place of
    /// one of its name. Returns the name of the header.
    pub(in crate::layer) fn write(
        &self,
        way: Way,
        value: HeaderValue,
        headers: &mut HeaderMap,
    ) -> HeaderName {
        if let (Way::Header, Some(name)) = (way, self.header()) {
            headers.insert(name, value);
            name.clone()
        } else {
            headers.append(SET_COOKIE, value);
            SET_COOKIE
        }
    }

    /// The headers that a response depends on.
    pub(in crate::layer) fn vary(&self) -> HeaderValue {
        match self {
            Self::Cookie => HeaderValue::from_static("Cookie"),
            Self::Header(name) => HeaderValue::from(name.clone()),
            Self::Either(name) => HeaderValue::try_from(format!("Cookie, {name}"))
                .expect("the name of a header is visible ASCII"),
        }
    }

    fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Cookie => None,
            Self::Header(name) | Self::Either(name) => Some(name),
        }
    }
}

/// A token as a header has it, marked as sensitive: it neither prints nor enters a table of HTTP/2
/// that an attacker could probe.
pub(in crate::layer) fn value(id: &SessionId, tokens: &Tokens) -> HeaderValue {
    let token = tokens.token(id);
    let mut value = HeaderValue::try_from(token).expect("a token is visible ASCII");
    value.set_sensitive(true);
    value
}

/// The value that tells a client to forget its token.
pub(in crate::layer) fn removal() -> HeaderValue {
    HeaderValue::from_static("")
}

/// Returns `true` if HTTP, a browser, a proxy or a cache has a use for a header of this name. The names go by
/// families, so that the list need not follow every new member.
fn is_taken(name: &str) -> bool {
    let families = [
        "accept",
        "access-control-",
        "alt-",
        "authentication-",
        "cf-",
        "content-",
        "cookie",
        "cross-origin-",
        "if-",
        "proxy-",
        "sec-",
        "set-cookie",
        "surrogate-",
        "www-",
        "x-accel-",
        "x-envoy-",
        "x-forwarded",
    ];
    families.iter().any(|family| name.starts_with(family))
        || name.ends_with("cache-control")
        || TAKEN.contains(&name)
}

/// Names of the registry of IANA, and customary ones, that are of no family.
const TAKEN: [&str; 63] = [
    "age",
    "allow",
    "authorization",
    "baggage",
    "cache-status",
    "clear-site-data",
    "client-ip",
    "close",
    "connection",
    "date",
    "digest",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "nel",
    "origin",
    "permissions-policy",
    "pragma",
    "prefer",
    "priority",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "retry-after",
    "server",
    "server-timing",
    "signature",
    "signature-input",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-http-method-override",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "x-xss-protection",
];

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn names_with_a_meaning_of_their_own_are_taken() {
        for name in [
            header::COOKIE,
            header::SET_COOKIE,
            header::HOST,
            header::AUTHORIZATION,
            header::PROXY_AUTHORIZATION,
            header::WWW_AUTHENTICATE,
            header::CONNECTION,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::TRANSFER_ENCODING,
            header::TE,
            header::TRAILER,
            header::UPGRADE,
            header::EXPECT,
            header::CACHE_CONTROL,
            header::VARY,
            header::ETAG,
            header::IF_NONE_MATCH,
            header::RANGE,
            header::ORIGIN,
            header::REFERER,
            header::LOCATION,
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            header::SEC_WEBSOCKET_KEY,
            header::FORWARDED,
            HeaderName::from_static("x-forwarded-for"),
            HeaderName::from_static("cdn-cache-control"),
            HeaderName::from_static("keep-alive"),
        ] {
            let refused = Err(ConfigError::HeaderTaken(name.clone()));
            assert_eq!(Transport::Header(name.clone()).check(), refused);
            assert_eq!(Transport::Either(name).check(), refused);
        }
    }

    #[test]
    fn names_of_ones_own_are_free() {
        assert_eq!(Transport::Cookie.check(), Ok(()));
        for name in [
            "x-session",
            "session",
            "x-sid",
            "shop-session-token",
            "x-auth-token",
        ] {
            let name = HeaderName::from_static(name);
            assert_eq!(Transport::Header(name.clone()).check(), Ok(()));
            assert_eq!(Transport::Either(name).check(), Ok(()));
        }
    }

    #[test]
    fn what_carries_a_token_does_not_print() {
        let secret = crate::secret::Secret::generate();
        let keys = crate::secret::KeyRing::new("sid", &secret, &[]);
        let tokens = Tokens::new(keys, crate::token::TokenFormat::Plain);
        let value = value(&SessionId::from_bytes([0; 24]), &tokens);
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
}
