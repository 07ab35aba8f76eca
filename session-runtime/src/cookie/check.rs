//! What browsers refuse, or give another scope than was asked for; knows no cookie's value.

use super::connection::Connection;
use super::error::CookieError;
use super::options::{CookieLifetime, CookieOptions, SameSite};
use crate::token::TokenFormat;

#[cfg(test)]
mod tests;

const MAX_NAME: usize = 256;
const MAX_PATH: usize = 1024;
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

// A browser drops a cookie whose name and value are longer together (RFC 6265bis, section 5.6).
const _: () = assert!(MAX_NAME + TokenFormat::Escaped.room() <= 4096);

impl CookieOptions<'_> {
    /// Checks that browsers accept a cookie of this name, and with the scope that the options say. What
    /// is `Auto` has to do so over https and over plain http.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold.
    pub const fn check(&self, name: &str) -> Result<(), CookieError> {
        match self.on(Connection::Https).check_one(name) {
            Ok(()) => self.on(Connection::Plain).check_one(name),
            Err(error) => Err(error),
        }
    }

    const fn check_one(&self, name: &str) -> Result<(), CookieError> {
        let faults = [
            name_fault(name.as_bytes()),
            path_fault(self.path.as_bytes()),
            domain_fault(self.domain),
            lifetime_fault(self.lifetime),
            attribute_fault(self),
            prefix_fault(self, name),
        ];
        let mut faults = faults.as_slice();
        while let [fault, rest @ ..] = faults {
            if let Some(error) = *fault {
                return Err(error);
            }
            faults = rest;
        }
        Ok(())
    }

    /// Checks as [`check`](Self::check) does, for use in a `const`: what is wrong does not compile.
    ///
    /// # Panics
    ///
    /// If a rule does not hold.
    #[must_use]
    pub const fn checked(self, name: &str) -> Self {
        match self.check(name) {
            Ok(()) => self,
            Err(error) => panic!("{}", error.message()),
        }
    }
}

const fn name_fault(name: &[u8]) -> Option<CookieError> {
    if name.is_empty() {
        return Some(CookieError::EmptyName);
    }
    if name.len() > MAX_NAME {
        return Some(CookieError::LongName);
    }
    let mut rest = name;
    while let [c, tail @ ..] = rest {
        if !c.is_ascii_alphanumeric() && !is_token_mark(*c) {
            return Some(CookieError::NameNotToken);
        }
        rest = tail;
    }
    None
}

const fn is_token_mark(c: u8) -> bool {
    matches!(
        c,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    )
}

const fn path_fault(path: &[u8]) -> Option<CookieError> {
    let [b'/', rest @ ..] = path else {
        return Some(CookieError::RelativePath);
    };
    if path.len() > MAX_PATH {
        return Some(CookieError::LongPath);
    }
    let mut rest = rest;
    while let [c, tail @ ..] = rest {
        // A query or a fragment is no part of the path that a cookie's path is compared with.
        if !c.is_ascii_graphic() || matches!(c, b';' | b'?' | b'#') {
            return Some(CookieError::PathCharacter);
        }
        rest = tail;
    }
    None
}

const fn domain_fault(domain: Option<&str>) -> Option<CookieError> {
    let Some(domain) = domain else { return None };
    let mut rest = domain.as_bytes();
    if let [b'.', ..] = rest {
        return Some(CookieError::LeadingDot);
    }
    if rest.len() > MAX_DOMAIN {
        return Some(CookieError::DomainNotHost);
    }
    let mut dots = 0;
    loop {
        let (label, tail) = split_label(rest);
        if !is_label(label) {
            return Some(CookieError::DomainNotHost);
        }
        let Some(tail) = tail else { break };
        dots += 1;
        rest = tail;
    }
    // What is left is the last label; only an address has a digit at its start.
    if let [b'0'..=b'9', ..] = rest {
        return Some(CookieError::AddressDomain);
    }
    if dots == 0 {
        return Some(CookieError::BareDomain);
    }
    None
}

const fn split_label(domain: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while at < domain.len() {
        let (label, tail) = domain.split_at(at);
        if let [b'.', tail @ ..] = tail {
            return (label, Some(tail));
        }
        at += 1;
    }
    (domain, None)
}

const fn is_label(label: &[u8]) -> bool {
    if matches!(label, [] | [b'-', ..] | [.., b'-']) || label.len() > MAX_LABEL {
        return false;
    }
    let mut rest = label;
    while let [c, tail @ ..] = rest {
        if !c.is_ascii_alphanumeric() && *c != b'-' {
            return false;
        }
        rest = tail;
    }
    true
}

const fn lifetime_fault(lifetime: CookieLifetime) -> Option<CookieError> {
    match lifetime {
        CookieLifetime::MaxAge(age) if age.as_secs() == 0 => Some(CookieError::NoMaxAge),
        CookieLifetime::MaxAge(_) | CookieLifetime::Expires(_) | CookieLifetime::BrowserSession => {
            None
        }
    }
}

const fn attribute_fault(options: &CookieOptions<'_>) -> Option<CookieError> {
    if options.is_secure() {
        return None;
    }
    if matches!(options.same_site, SameSite::None) {
        return Some(CookieError::SameSiteNoneNotSecure);
    }
    if options.partitioned {
        return Some(CookieError::PartitionedNotSecure);
    }
    None
}

// Browsers compare the prefixes without regard to case (RFC 6265bis, section 5.4).
const fn prefix_fault(options: &CookieOptions<'_>, name: &str) -> Option<CookieError> {
    let name = name.as_bytes();
    let secure = options.is_secure();
    let host = has_prefix(name, b"__Host-");
    let http = has_prefix(name, b"__Http-");
    if has_prefix(name, b"__Secure-") && !secure {
        return Some(CookieError::SecurePrefixNotSecure);
    }
    if host && !secure {
        return Some(CookieError::HostPrefixNotSecure);
    }
    if host && options.domain.is_some() {
        return Some(CookieError::HostPrefixWithDomain);
    }
    if host && !matches!(options.path.as_bytes(), b"/") {
        return Some(CookieError::HostPrefixWithPath);
    }
    if http && !secure {
        return Some(CookieError::HttpPrefixNotSecure);
    }
    if (http || has_prefix(name, b"__Host-Http-")) && !options.http_only {
        return Some(CookieError::HttpPrefixNotHttpOnly);
    }
    None
}

const fn has_prefix(name: &[u8], prefix: &[u8]) -> bool {
    match name.split_at_checked(prefix.len()) {
        Some((start, _)) => start.eq_ignore_ascii_case(prefix),
        None => false,
    }
}
