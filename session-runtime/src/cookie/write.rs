//! Renders `Set-Cookie`: the attributes once, then only the token and the lifetime; keeps no state.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cookie::Cookie;
use http::HeaderValue;
use httpdate::HttpDate;

use super::error::CookieError;
use super::options::{CookieLifetime, CookieOptions, Priority, SameSite};
use crate::expiry::LAST_DATE;
use crate::id::SessionId;
use crate::token::Tokens;

/// Browsers keep no cookie longer (RFC 6265bis, section 5.5).
const MAX_AGE_CAP: Duration = Duration::from_hours(400 * 24);

/// Writes the cookie of one name and one set of options, which were checked.
#[derive(Debug)]
pub(crate) struct CookieWriter {
    is_secure: bool,
    start: String,
    attributes: Attributes,
    removal: HeaderValue,
}

/// A cookie's attributes as text, in the order in which they are sent, but for the lifetime between them.
#[derive(Debug)]
pub(crate) struct Attributes {
    pub(crate) before_lifetime: String,
    pub(crate) after_lifetime: String,
}

impl CookieWriter {
    /// Sends the lifetime after all other attributes.
    pub(crate) fn new(name: &str, options: &CookieOptions<'_>) -> Result<Self, CookieError> {
        let priority = options.priority.map_or("", Priority::attribute);
        let attributes = Attributes {
            before_lifetime: scope(options) + priority,
            after_lifetime: String::new(),
        };
        Self::with_attributes(name, options, attributes)
    }

    /// Sends these attributes in the place of those that the options ask for.
    pub(crate) fn with_attributes(
        name: &str,
        options: &CookieOptions<'_>,
        attributes: Attributes,
    ) -> Result<Self, CookieError> {
        options.check(name)?;
        let start = format!("{name}=");
        let scope = scope(options);
        let removal = format!("{start}{scope}; Max-Age=0; Expires={}", date(UNIX_EPOCH));
        Ok(Self {
            is_secure: options.is_secure(),
            start,
            attributes,
            removal: header(removal),
        })
    }

    /// Gives the browser the token of a session, marked as sensitive: it neither prints nor enters
    /// a table of HTTP/2 that an attacker could probe.
    pub(crate) fn set(
        &self,
        id: &SessionId,
        tokens: &Tokens,
        until: CookieLifetime,
    ) -> HeaderValue {
        let Self {
            is_secure: _,
            start,
            attributes:
                Attributes {
                    before_lifetime: before,
                    after_lifetime: after,
                },
            removal: _,
        } = self;
        let until = lifetime(until);
        let room = tokens.room() + before.len() + until.len() + after.len();
        let mut line = String::with_capacity(start.len() + room);
        line.push_str(start);
        tokens.write(id, &mut line);
        line.extend([before, until.as_str(), after]);
        let mut value = header(line);
        value.set_sensitive(true);
        value
    }

    /// Whether browsers drop the cookie unless they trust the connection.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Takes the cookie from the browser: only the same name, path, domain and partition name it,
    /// and only `Secure` may replace a `Secure` one.
    pub(crate) fn removal(&self) -> HeaderValue {
        self.removal.clone()
    }
}

fn scope(options: &CookieOptions<'_>) -> String {
    let &CookieOptions {
        path,
        domain,
        http_only,
        secure: _,
        same_site,
        lifetime: _,
        partitioned,
        priority: _,
    } = options;
    let mut cookie = Cookie::build("")
        .path(path)
        .http_only(http_only)
        .secure(options.is_secure())
        .partitioned(partitioned)
        .build();
    cookie.set_same_site(match same_site {
        SameSite::Unset => None,
        SameSite::Strict => Some(cookie::SameSite::Strict),
        // The options are those of a connection, so that nothing is `Auto` here.
        SameSite::Lax | SameSite::Auto => Some(cookie::SameSite::Lax),
        SameSite::None => Some(cookie::SameSite::None),
    });
    if let Some(domain) = domain {
        cookie.set_domain(domain);
    }
    // Without a name and a value, only the `=` between them comes before the attributes.
    cookie.to_string().replacen('=', "", 1)
}

fn lifetime(lifetime: CookieLifetime) -> String {
    match lifetime {
        CookieLifetime::BrowserSession => String::new(),
        CookieLifetime::MaxAge(age) => format!("; Max-Age={}", age.min(MAX_AGE_CAP).as_secs()),
        CookieLifetime::Expires(at) => format!("; Expires={}", date(at)),
    }
}

// The nearest moment that has a date: nothing a user may ask for is worth a panic.
fn date(at: SystemTime) -> HttpDate {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    HttpDate::from(UNIX_EPOCH + since_epoch.min(LAST_DATE))
}

fn header(line: String) -> HeaderValue {
    HeaderValue::try_from(line).expect("what the check lets through is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::{SameSite, Secure};
    use crate::id::ID_BYTES;
    use crate::secret::{Alphabet, KeyRing, Secret};
    use crate::token::TokenFormat;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn set(name: &str, options: CookieOptions<'_>) -> String {
        let secret = Secret::try_from([0; 32].as_slice()).unwrap();
        let keys = || KeyRing::new(name, &secret, &[]);
        let tokens = Tokens::new(keys(), TokenFormat::Plain);
        let id = SessionId::from_bytes([0; ID_BYTES]);
        let writer = CookieWriter::new(name, &options).unwrap();
        let value = writer.set(&id, &tokens, options.lifetime());
        assert!(value.is_sensitive());
        let (tag, _) = value.as_bytes().split_at(name.len() + 77);
        let tag = str::from_utf8(tag).unwrap().rsplit_once('.').unwrap().1;
        assert_eq!(
            tag.as_bytes(),
            keys().sign(id.as_bytes()).encode(Alphabet::UrlSafe)
        );
        value.to_str().unwrap().replace(tag, "TAG")
    }

    fn removal(name: &str, options: CookieOptions<'_>) -> String {
        let writer = CookieWriter::new(name, &options).unwrap();
        writer.removal().to_str().unwrap().to_owned()
    }

    fn everything() -> CookieOptions<'static> {
        CookieOptions::new()
            .path("/app")
            .domain("example.com")
            .same_site(SameSite::None)
            .max_age(Duration::from_hours(1))
            .partitioned(true)
            .priority(Priority::High)
    }

    #[test]
    fn the_default_cookie() {
        assert_eq!(
            set("__Host-sid", CookieOptions::new()),
            format!("__Host-sid={ID}.TAG; HttpOnly; SameSite=Lax; Secure; Path=/")
        );
    }

    #[test]
    fn the_cookie_with_every_attribute() {
        assert_eq!(
            set("sid", everything()),
            format!(
                "sid={ID}.TAG; HttpOnly; SameSite=None; Partitioned; Secure; Path=/app; \
                 Domain=example.com; Priority=High; Max-Age=3600"
            )
        );
    }

    #[test]
    fn the_cookie_with_the_fewest_attributes() {
        let options = CookieOptions::new()
            .http_only(false)
            .secure(Secure::Never)
            .same_site(SameSite::Strict);
        assert_eq!(
            set("sid", options),
            format!("sid={ID}.TAG; SameSite=Strict; Path=/")
        );
    }

    #[test]
    fn the_cookie_with_a_date_and_a_low_or_medium_priority() {
        let at = UNIX_EPOCH + Duration::from_secs(1_795_435_201);
        let options = CookieOptions::new().expires(at);
        assert_eq!(
            set("sid", options.priority(Priority::Low)),
            format!(
                "sid={ID}.TAG; HttpOnly; SameSite=Lax; Secure; Path=/; Priority=Low; \
                 Expires=Mon, 23 Nov 2026 12:00:01 GMT"
            )
        );
        assert!(set("sid", options.priority(Priority::Medium)).contains("; Priority=Medium; "));
    }

    #[test]
    fn a_removal_repeats_the_scope_and_nothing_else() {
        assert_eq!(
            removal("__Host-sid", CookieOptions::new()),
            "__Host-sid=; HttpOnly; SameSite=Lax; Secure; Path=/; \
             Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
        assert_eq!(
            removal("sid", everything()),
            "sid=; HttpOnly; SameSite=None; Partitioned; Secure; Path=/app; Domain=example.com; \
             Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn a_lifetime_ends_where_browsers_and_calendars_do() {
        let days = |days: u64| lifetime(CookieLifetime::MaxAge(Duration::from_secs(days * 86_400)));
        assert_eq!(days(400), "; Max-Age=34560000");
        assert_eq!(days(401), "; Max-Age=34560000");
        let at = |at| lifetime(CookieLifetime::Expires(at));
        let after = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let last = "; Expires=Fri, 31 Dec 9999 23:59:59 GMT";
        assert_eq!(at(after(253_402_300_799)), last);
        assert_eq!(at(after(253_402_300_800)), last);
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(at(before), "; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_writer_cannot_be_had_for_what_a_browser_refuses() {
        let error = CookieWriter::new("__Host-sid", &everything()).unwrap_err();
        assert_eq!(error, CookieError::HostPrefixWithDomain);
    }
}
