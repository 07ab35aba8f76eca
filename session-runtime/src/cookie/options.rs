//! What a user may ask of the session's cookie; knows neither its name nor its value.

use std::time::{Duration, SystemTime};

use super::connection::Connection;

/// Whether a browser returns the cookie over https alone (RFC 6265bis, section 4.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secure {
    /// Over https alone; browsers make an exception for a loopback host.
    #[default]
    Always,
    /// As the connection is: a request that came over https gets a `Secure` cookie, another one not.
    /// Behind a proxy that ends TLS, `trusted_proxy` says which is which.
    Auto,
    /// Over plain http as well, where anybody on the way can read it and take the session over.
    Never,
}

/// Whether a browser sends the cookie with requests that another site caused (RFC 6265bis,
/// section 4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never: who follows a link from another site arrives without a session.
    Strict,
    /// Only with a navigation by a safe method, such as a link.
    #[default]
    Lax,
    /// Always, which an embedded page needs; forged requests are then the application's concern.
    None,
    /// `None` for a request that came over https, `Lax` for another one.
    Auto,
    /// Nothing is said, as by an Express app that sets no `sameSite`. Browsers then take `Lax`, or what
    /// they please (RFC 6265bis, section 5.6.7.2); choose it only to be the same as such an app.
    Unset,
}

/// Which cookies a browser evicts last when a site has too many.
///
/// An extension of Chromium, from the expired `draft-west-cookie-priority-00`; other browsers
/// ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Priority {
    /// Evicted first.
    Low,
    /// As if it were not said.
    Medium,
    /// Evicted last.
    High,
}

impl Priority {
    /// As a cookie has it, with what parts it from the attribute before.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Low => "; Priority=Low",
            Self::Medium => "; Priority=Medium",
            Self::High => "; Priority=High",
        }
    }
}

/// How long a browser keeps the cookie; how long the session lives is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieLifetime {
    BrowserSession,
    MaxAge(Duration),
    Expires(SystemTime),
}

/// The scope and lifetime of the session's cookie, safe by default.
///
/// Written in a `const`, a combination that a browser would refuse does not compile:
///
/// ```
/// use session_runtime::{CookieOptions, SameSite};
///
/// const COOKIE: CookieOptions = CookieOptions::new()
///     .same_site(SameSite::Strict)
///     .checked("__Host-sid");
/// # let _ = COOKIE;
/// ```
///
/// `__Host-` is a promise that no other host sets the cookie, so it allows no domain:
///
/// ```compile_fail,E0080
/// use session_runtime::CookieOptions;
///
/// const COOKIE: CookieOptions = CookieOptions::new()
///     .domain("example.com")
///     .checked("__Host-sid");
/// # let _ = COOKIE;
/// ```
///
/// A cookie that other sites' requests carry must not travel in the clear:
///
/// ```compile_fail,E0080
/// use session_runtime::{CookieOptions, SameSite, Secure};
///
/// const COOKIE: CookieOptions = CookieOptions::new()
///     .same_site(SameSite::None)
///     .secure(Secure::Never)
///     .checked("sid");
/// # let _ = COOKIE;
/// ```
///
/// And a name is a token:
///
/// ```compile_fail,E0080
/// use session_runtime::CookieOptions;
///
/// const COOKIE: CookieOptions = CookieOptions::new().checked("my session");
/// # let _ = COOKIE;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CookieOptions<'a> {
    pub(crate) path: &'a str,
    pub(crate) domain: Option<&'a str>,
    pub(crate) http_only: bool,
    pub(crate) secure: Secure,
    pub(crate) same_site: SameSite,
    pub(crate) lifetime: CookieLifetime,
    pub(crate) partitioned: bool,
    pub(crate) priority: Option<Priority>,
}

impl<'a> CookieOptions<'a> {
    /// A cookie for every path of this host alone, `HttpOnly`, `Secure`, `SameSite=Lax`, until the
    /// browser closes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            path: "/",
            domain: None,
            http_only: true,
            secure: Secure::Always,
            same_site: SameSite::Lax,
            lifetime: CookieLifetime::BrowserSession,
            partitioned: false,
            priority: None,
        }
    }

    /// Sends the cookie with requests for this path and what lies under it (RFC 6265bis, section
    /// 4.1.2.4). It keeps no secret from the host's other paths.
    #[must_use]
    pub const fn path(mut self, path: &'a str) -> Self {
        self.path = path;
        self
    }

    /// Shares the cookie with this domain and all its subdomains (RFC 6265bis, section 4.1.2.3).
    ///
    /// A domain is given without a leading dot, and in punycode. That browsers refuse a public
    /// suffix, such as `co.uk`, is not checked: the list of them changes weekly.
    #[must_use]
    pub const fn domain(mut self, domain: &'a str) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Hides the cookie from scripts (RFC 6265bis, section 4.1.2.6).
    #[must_use]
    pub const fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Decides whether the cookie may travel over plain http.
    #[must_use]
    pub const fn secure(mut self, secure: Secure) -> Self {
        self.secure = secure;
        self
    }

    /// Decides whether requests that another site caused carry the cookie.
    #[must_use]
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Keeps the cookie for this long after it was last sent, in whole seconds; browsers stop at
    /// 400 days (RFC 6265bis, section 5.5). Replaces [`expires`](Self::expires).
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.lifetime = CookieLifetime::MaxAge(max_age);
        self
    }

    /// Keeps the cookie until this moment; one in the past removes it. Replaces
    /// [`max_age`](Self::max_age).
    #[must_use]
    pub const fn expires(mut self, at: SystemTime) -> Self {
        self.lifetime = CookieLifetime::Expires(at);
        self
    }

    /// Keeps the cookie until the browser closes, which is the default.
    #[must_use]
    pub const fn browser_session(mut self) -> Self {
        self.lifetime = CookieLifetime::BrowserSession;
        self
    }

    /// Keeps a cookie of its own under each top-level site that embeds this one
    /// (`draft-cutler-httpbis-partitioned-cookies`).
    #[must_use]
    pub const fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// Tells Chromium how late to evict the cookie.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// What the options are for a request that came this way: nothing is `Auto` any more.
    pub(crate) const fn on(mut self, connection: Connection) -> Self {
        let https = matches!(connection, Connection::Https);
        if let Secure::Auto = self.secure {
            self.secure = if https { Secure::Always } else { Secure::Never };
        }
        if let SameSite::Auto = self.same_site {
            self.same_site = if https { SameSite::None } else { SameSite::Lax };
        }
        self
    }

    /// Is true if an option is `Auto`, so that the cookie differs from connection to connection.
    pub(crate) const fn follow_connection(&self) -> bool {
        matches!(self.secure, Secure::Auto) || matches!(self.same_site, SameSite::Auto)
    }

    pub(crate) const fn lifetime(&self) -> CookieLifetime {
        self.lifetime
    }

    pub(crate) const fn is_secure(&self) -> bool {
        matches!(self.secure, Secure::Always)
    }
}

impl Default for CookieOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lifetime_wins() {
        let hour = Duration::from_hours(1);
        let at = SystemTime::UNIX_EPOCH + hour;
        let options = CookieOptions::new();
        assert_eq!(options.lifetime(), CookieLifetime::BrowserSession);
        assert_eq!(
            options.expires(at).max_age(hour).lifetime(),
            CookieLifetime::MaxAge(hour)
        );
        assert_eq!(
            options.max_age(hour).expires(at).lifetime(),
            CookieLifetime::Expires(at)
        );
        assert_eq!(
            options.max_age(hour).browser_session().lifetime(),
            CookieLifetime::BrowserSession
        );
    }

    #[test]
    fn the_default_is_the_safe_one() {
        let options = CookieOptions::default();
        assert!(options.is_secure());
        assert!(options.http_only);
        assert_eq!(options.same_site, SameSite::default());
        assert!(!options.secure(Secure::Never).is_secure());
    }

    #[test]
    fn auto_follows_the_connection() {
        let auto = CookieOptions::new()
            .secure(Secure::Auto)
            .same_site(SameSite::Auto);
        let https = auto.on(Connection::Https);
        assert_eq!(
            (https.secure, https.same_site),
            (Secure::Always, SameSite::None)
        );
        for plain in [Connection::Plain, Connection::Loopback] {
            let plain = auto.on(plain);
            assert_eq!(
                (plain.secure, plain.same_site),
                (Secure::Never, SameSite::Lax)
            );
        }
        assert!(auto.follow_connection() && !https.follow_connection());
        assert!(https.same_site(SameSite::Auto).follow_connection());
        assert!(https.secure(Secure::Auto).follow_connection());
    }
}
