//! Why a layer cannot be built as it was asked for.

use std::fmt;
use std::time::Duration;

use http::HeaderName;

use crate::cookie::CookieError;

/// Settings that cannot go together.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A browser would reject the cookie.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// A duration is zero that must not be.
    #[error("{0} is zero: no session would outlive its request")]
    Zero(&'static str),
    /// Sessions would end before they are idle.
    #[error(
        "{name} is {length:?}, longer than the absolute timeout of {absolute:?}: shorten it, or raise `absolute_timeout`"
    )]
    BeyondAbsolute {
        /// The setting that is too long.
        name: &'static str,
        /// The value that it was set to.
        length: Duration,
        /// The absolute timeout.
        absolute: Duration,
    },
    /// `max_sessions` is zero.
    #[error("`max_sessions` is 0: nobody could sign in")]
    NoSessions,
    /// `expires` is past.
    #[error("the cookie's `expires` is past: no session would outlive its request")]
    Expired,
    /// A function of the request has set `expires`.
    #[error(
        "a function of the request cannot set `expires`, which ends all sessions at once: use `max_age`, or `.cookie(..)`"
    )]
    ExpiresByRequest,
    /// A function of the request has set a domain that the request's host is not in.
    #[error(
        "the cookie's domain `{domain}` does not cover the host `{host}` of the request, so browsers reject it: choose the domain by the host, or let the proxy pass `Host` on"
    )]
    ForeignDomain {
        /// The domain that was asked for.
        domain: String,
        /// The host of the request.
        host: String,
    },
    /// A former cookie has the name and the scope of the layer's own.
    #[error(
        "the former cookie `{0}` has the name, domain, path and partition of the layer's own, which browsers take for one cookie: leave it out"
    )]
    FormerIsCurrent(String),
    /// The transport's header is not free.
    #[error(
        "the header `{0}` means something else in HTTP: give the session's token one of its own, such as `x-session`"
    )]
    HeaderTaken(HeaderName),
}

/// As `Display`: it is what a `main` that returns an error prints.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
