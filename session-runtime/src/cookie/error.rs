//! What is wrong with a cookie, in words; knows no rule.

use std::fmt;

use thiserror::Error;

/// Why a browser would refuse a cookie, or give it another scope than the options say.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum CookieError {
    /// The name has no character.
    EmptyName,
    /// The name is no token (RFC 9110, section 5.6.2).
    NameNotToken,
    /// The name has more than 256 bytes.
    LongName,
    /// The path has no leading slash (RFC 6265bis, section 5.6.4).
    RelativePath,
    /// The path holds what the path of a request never does.
    PathCharacter,
    /// The path has more than 1024 bytes (RFC 6265bis, section 5.6).
    LongPath,
    /// The domain starts with a dot, which browsers ignore (RFC 6265bis, section 4.1.2.3).
    LeadingDot,
    /// The domain is no host name (RFC 1123, section 2.1).
    DomainNotHost,
    /// The domain is a single label, which is a public suffix (RFC 6265bis, section 5.7).
    BareDomain,
    /// The domain is an IP address, which has no subdomains (RFC 6265bis, section 5.1.3).
    AddressDomain,
    /// `Max-Age` would be zero (RFC 6265bis, section 5.6.2).
    NoMaxAge,
    /// `SameSite=None` without `Secure` (RFC 6265bis, section 5.7).
    SameSiteNoneNotSecure,
    /// `Partitioned` without `Secure` (`draft-cutler-httpbis-partitioned-cookies`).
    PartitionedNotSecure,
    /// A name that starts with `__Secure-` without `Secure` (RFC 6265bis, section 4.1.3.1).
    SecurePrefixNotSecure,
    /// A name that starts with `__Host-` without `Secure` (RFC 6265bis, section 4.1.3.2).
    HostPrefixNotSecure,
    /// A name that starts with `__Host-` with a domain (RFC 6265bis, section 4.1.3.2).
    HostPrefixWithDomain,
    /// A name that starts with `__Host-` with a path other than `/` (RFC 6265bis, section 4.1.3.2).
    HostPrefixWithPath,
    /// A name that starts with `__Http-` without `Secure` (`draft-ietf-httpbis-layered-cookies`).
    HttpPrefixNotSecure,
    /// A name that starts with `__Http-` or `__Host-Http-` without `HttpOnly`
    /// (`draft-ietf-httpbis-layered-cookies`).
    HttpPrefixNotHttpOnly,
}

/// As `Display`: it is what a `main` that returns an error prints.
impl fmt::Debug for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl CookieError {
    // A `const` can panic with these and nothing composed, so each is whole.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::EmptyName => "a cookie's name is empty: give it at least one character",
            Self::NameNotToken => {
                "a cookie's name has a character that none may have: use letters, digits, `-` and `_`"
            }
            Self::LongName => "a cookie's name has more than 256 bytes: shorten it",
            Self::RelativePath => "a cookie's path does not start with `/`: write it from the root",
            Self::PathCharacter => {
                "a cookie's path has a character that none may have: percent-encode it, or end before it"
            }
            Self::LongPath => "a cookie's path has more than 1024 bytes: shorten it",
            Self::LeadingDot => {
                "a cookie's domain starts with a dot, which browsers ignore: remove the dot"
            }
            Self::DomainNotHost => {
                "a cookie's domain is not a host name: write it as in `example.com`, in punycode"
            }
            Self::BareDomain => {
                "a cookie's domain is a single label, which no cookie can span: remove the domain"
            }
            Self::AddressDomain => {
                "a cookie's domain is an address, which has no subdomains: remove the domain"
            }
            Self::NoMaxAge => {
                "a `max_age` under one second would remove the cookie: use at least one second"
            }
            Self::SameSiteNoneNotSecure => "`SameSite::None` needs `Secure::Always`",
            Self::PartitionedNotSecure => "`partitioned` needs `Secure::Always`",
            Self::SecurePrefixNotSecure => {
                "a name that starts with `__Secure-` needs `Secure::Always`, or choose another `name`"
            }
            Self::HostPrefixNotSecure => {
                "a name that starts with `__Host-` needs `Secure::Always`, or choose another `name`"
            }
            Self::HostPrefixWithDomain => {
                "a name that starts with `__Host-` allows no domain: remove the prefix or the domain"
            }
            Self::HostPrefixWithPath => {
                "a name that starts with `__Host-` allows no path but `/`: remove the prefix or the path"
            }
            Self::HttpPrefixNotSecure => {
                "a name that starts with `__Http-` needs `Secure::Always`, or choose another `name`"
            }
            Self::HttpPrefixNotHttpOnly => {
                "a name that starts with `__Http-` or `__Host-Http-` needs `http_only(true)`"
            }
        }
    }
}
