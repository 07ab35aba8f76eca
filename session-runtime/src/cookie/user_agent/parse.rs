//! Takes a `Set-Cookie` apart as browsers do (RFC 6265bis, section 5.6); stores nothing.

use std::time::{Duration, SystemTime};

use super::{Refusal, Request, date, domain_matches};

/// Section 5.5.
pub(super) const MAX_LIFETIME: Duration = Duration::from_hours(400 * 24);

pub(super) fn pair(set_cookie: &str) -> Result<(String, String, &str), Refusal> {
    if set_cookie
        .chars()
        .any(|c| c.is_ascii_control() && c != '\t')
    {
        return Err(Refusal::Syntax);
    }
    let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let (name, value) = (trim(name), trim(value));
    match name.len() + value.len() {
        0 => Err(Refusal::Syntax),
        4097.. => Err(Refusal::Size),
        _ => Ok((name.to_owned(), value.to_owned(), attributes)),
    }
}

#[derive(Default)]
pub(super) struct Attributes {
    expires: Option<SystemTime>,
    max_age: Option<SystemTime>,
    domain: Option<String>,
    pub(super) path: Option<String>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<String>,
    pub(super) partitioned: bool,
}

impl Attributes {
    pub(super) fn parse(text: &str, now: SystemTime) -> Self {
        let mut attributes = Self::default();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (trim(name).to_lowercase(), trim(value));
            // An attribute that is too long is ignored, the cookie is not.
            if value.len() > 1024 {
                continue;
            }
            attributes.take(&name, value, now);
        }
        attributes
    }

    fn take(&mut self, name: &str, value: &str, now: SystemTime) {
        let limit = now + MAX_LIFETIME;
        match name {
            "expires" => self.expires = date::parse(value).map(|at| at.min(limit)).or(self.expires),
            "max-age" => {
                let until = |age| match age {
                    0 => SystemTime::UNIX_EPOCH,
                    age => now + MAX_LIFETIME.min(Duration::from_secs(age)),
                };
                self.max_age = seconds(value).map(until).or(self.max_age);
            }
            "domain" if value.is_empty() => {}
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value);
                self.domain = Some(domain.to_lowercase());
            }
            "path" => self.path = value.starts_with('/').then(|| value.to_owned()),
            "secure" => self.secure = true,
            "httponly" => self.http_only = true,
            "samesite" => self.same_site = Some(value.to_lowercase()),
            "partitioned" => self.partitioned = true,
            _ => {}
        }
    }

    pub(super) fn expiry(&self) -> Option<SystemTime> {
        self.max_age.or(self.expires)
    }

    pub(super) fn host(&self, from: Request<'_>) -> Result<(String, bool), Refusal> {
        let host = from.host.to_owned();
        let Some(domain) = &self.domain else {
            return Ok((host, true));
        };
        if !domain.contains('.') {
            return if *domain == host {
                Ok((host, true))
            } else {
                Err(Refusal::Domain)
            };
        }
        if !domain_matches(&host, domain) {
            return Err(Refusal::Domain);
        }
        Ok((domain.clone(), false))
    }
}

fn seconds(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    // What is negative is no later than what is zero; what overflows is longer than any limit.
    let is_negative = digits.len() < text.len();
    Some(if is_negative {
        0
    } else {
        digits.parse().unwrap_or(u64::MAX)
    })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
