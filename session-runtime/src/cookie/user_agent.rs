//! A browser's cookies as RFC 6265bis, section 5, has them; knows nothing of how ours are written.
//!
//! Beyond it, the prefixes in `Http` are those of `draft-ietf-httpbis-layered-cookies` and
//! partitions those of `draft-cutler-httpbis-partitioned-cookies`. The public suffix list is short:
//! a host of a single label is one, as the list's default rule says.

use std::time::SystemTime;

use parse::Attributes;

mod date;
mod parse;
mod tests;

/// Why a request is made, as far as `SameSite` cares (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    SameSite,
    ForeignLink,
    ForeignPart,
}

/// A request, or the response to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) https: bool,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) cause: Cause,
    pub(super) top_site: &'a str,
}

/// Why a cookie is ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    Syntax,
    Size,
    Domain,
    InsecureOrigin,
    SameSite,
    Partitioned,
    Prefix,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) http_only: bool,
    host: String,
    host_only: bool,
    path: String,
    partition: Option<String>,
    secure: bool,
    same_site: Option<String>,
    expiry: Option<SystemTime>,
}

#[derive(Clone, Debug)]
pub(super) struct UserAgent {
    pub(super) now: SystemTime,
    pub(super) cookies: Vec<Stored>,
}

impl UserAgent {
    pub(super) fn new(now: SystemTime) -> Self {
        Self {
            now,
            cookies: Vec::new(),
        }
    }

    /// The end of the browser's session.
    pub(super) fn quit(&mut self) {
        self.cookies.retain(|cookie| cookie.expiry.is_some());
    }

    /// Sections 5.6 and 5.7.
    pub(super) fn receive(&mut self, set_cookie: &str, from: Request<'_>) -> Result<(), Refusal> {
        let (name, value, attributes) = parse::pair(set_cookie)?;
        let attributes = Attributes::parse(attributes, self.now);
        let (host, host_only) = attributes.host(from)?;
        let cookie = Stored {
            name,
            value,
            http_only: attributes.http_only,
            host,
            host_only,
            path: attributes
                .path
                .clone()
                .unwrap_or_else(|| default_path(from.path)),
            partition: attributes.partitioned.then(|| from.top_site.to_owned()),
            secure: attributes.secure,
            same_site: attributes.same_site.clone(),
            expiry: attributes.expiry(),
        };
        self.admit(&cookie, &attributes, from)?;
        self.cookies.retain(|other| !other.is_replaced_by(&cookie));
        self.cookies.push(cookie);
        self.cookies
            .retain(|cookie| cookie.expiry.is_none_or(|at| at > self.now));
        Ok(())
    }

    /// Section 5.8, for an HTTP request.
    pub(super) fn sent_with(&self, request: Request<'_>) -> impl Iterator<Item = &Stored> {
        self.cookies
            .iter()
            .filter(move |cookie| cookie.goes_with(request, self.now))
    }

    fn admit(
        &self,
        cookie: &Stored,
        attributes: &Attributes,
        from: Request<'_>,
    ) -> Result<(), Refusal> {
        let secure_origin = is_trustworthy(from);
        let overlays = |other: &Stored| {
            let hosts = domain_matches(&other.host, &cookie.host)
                || domain_matches(&cookie.host, &other.host);
            other.secure
                && other.name == cookie.name
                && hosts
                && path_matches(&cookie.path, &other.path)
        };
        if !secure_origin && (cookie.secure || self.cookies.iter().any(overlays)) {
            return Err(Refusal::InsecureOrigin);
        }
        let same_site = cookie.same_site.as_deref();
        if same_site != Some("none") && from.cause == Cause::ForeignPart {
            return Err(Refusal::SameSite);
        }
        if same_site == Some("none") && !cookie.secure {
            return Err(Refusal::SameSite);
        }
        if cookie.partition.is_some() && !cookie.secure {
            return Err(Refusal::Partitioned);
        }
        let host_prefixed =
            cookie.secure && cookie.host_only && attributes.path.as_deref() == Some("/");
        let http_prefixed = cookie.secure && cookie.http_only;
        let name = cookie.name.to_lowercase();
        let kept = (!name.starts_with("__secure-") || cookie.secure)
            && (!name.starts_with("__host-") || host_prefixed)
            && (!name.starts_with("__http-") || http_prefixed)
            && (!name.starts_with("__host-http-") || http_prefixed);
        if kept { Ok(()) } else { Err(Refusal::Prefix) }
    }
}

impl Stored {
    fn is_replaced_by(&self, new: &Self) -> bool {
        self.name == new.name
            && self.host == new.host
            && self.host_only == new.host_only
            && self.path == new.path
            && self.partition == new.partition
    }

    fn goes_with(&self, request: Request<'_>, now: SystemTime) -> bool {
        let host = if self.host_only {
            self.host == request.host
        } else {
            domain_matches(request.host, &self.host)
        };
        let cause = match self.same_site.as_deref() {
            Some("none") => true,
            Some("strict") => request.cause == Cause::SameSite,
            _ => request.cause != Cause::ForeignPart,
        };
        let partition = self
            .partition
            .as_ref()
            .is_none_or(|site| site == request.top_site);
        let alive = self.expiry.is_none_or(|at| at > now);
        let transport = !self.secure || is_trustworthy(request);
        host && cause && partition && alive && transport && path_matches(request.path, &self.path)
    }
}

// Browsers count a loopback host as secure, and so `Secure` cookies work in development.
fn is_trustworthy(request: Request<'_>) -> bool {
    let host = request.host;
    request.https || host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.")
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let is_number = |label: &str| label.bytes().all(|c| c.is_ascii_digit());
    let is_address = host.rsplit('.').next().is_some_and(is_number);
    let parent = host
        .strip_suffix(domain)
        .and_then(|rest| rest.strip_suffix('.'));
    host == domain || (!is_address && parent.is_some())
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
}

fn default_path(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) if !directory.is_empty() => directory.to_owned(),
        _ => "/".to_owned(),
    }
}
