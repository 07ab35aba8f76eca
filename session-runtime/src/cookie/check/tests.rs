use std::time::{Duration, SystemTime};

use super::*;
use crate::cookie::Secure;

const NEW: CookieOptions<'static> = CookieOptions::new();
const PLAIN: CookieOptions<'static> = NEW.secure(Secure::Never);

fn fault(name: &str, options: CookieOptions<'_>) -> Option<CookieError> {
    options.check(name).err()
}

#[test]
fn a_name_is_a_token_of_at_most_256_bytes() {
    for name in ["s", "connect.sid", "!#$%&'*+-.^_`|~", &"n".repeat(256)] {
        assert_eq!(fault(name, NEW), None, "{name}");
    }
    assert_eq!(fault("", NEW), Some(CookieError::EmptyName));
    assert_eq!(fault(&"n".repeat(257), NEW), Some(CookieError::LongName));
    let others =
        ('\0'..='\u{ff}').filter(|c| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(*c));
    for c in others {
        let name = format!("a{c}b");
        assert_eq!(fault(&name, NEW), Some(CookieError::NameNotToken), "{c:?}");
    }
}

#[test]
fn a_path_is_what_a_request_can_have() {
    for path in [
        "/",
        "/app",
        "/app/",
        "/a%20b/~c,d=\"e\"",
        &format!("/{}", "p".repeat(1023)),
    ] {
        assert_eq!(fault("sid", NEW.path(path)), None, "{path}");
    }
    for path in ["", "app", " /", "./"] {
        assert_eq!(
            fault("sid", NEW.path(path)),
            Some(CookieError::RelativePath),
            "{path}"
        );
    }
    for path in [
        "/a;b", "/a b", "/a?b", "/a#b", "/a\u{0}", "/a\n", "/a\u{7f}", "/é",
    ] {
        assert_eq!(
            fault("sid", NEW.path(path)),
            Some(CookieError::PathCharacter),
            "{path:?}"
        );
    }
    let long = format!("/{}", "p".repeat(1024));
    assert_eq!(fault("sid", NEW.path(&long)), Some(CookieError::LongPath));
}

#[test]
fn a_domain_is_a_host_name_with_a_dot_inside() {
    let label = "a".repeat(63);
    let long = [&label, &label, &label, "a".repeat(61).as_str()]
        .map(|s| s)
        .join(".");
    assert_eq!(long.len(), 253);
    for domain in [
        "example.com",
        "a.b.c",
        "3com.com",
        "EXAMPLE.Com",
        "xn--bcher-kva.example",
        "x.a1",
        &long,
    ] {
        assert_eq!(fault("sid", NEW.domain(domain)), None, "{domain}");
    }
    let longer = format!("{long}a");
    let wide = format!("a{label}.com");
    for domain in [
        "",
        "a..b",
        "example.com.",
        "-a.com",
        "a-.com",
        "a_b.com",
        "a b.com",
        "a.com;",
        "bücher.example",
        "*.example.com",
        "example.com:80",
        "[::1]",
        &longer,
        &wide,
    ] {
        assert_eq!(
            fault("sid", NEW.domain(domain)),
            Some(CookieError::DomainNotHost),
            "{domain}"
        );
    }
    for domain in ["127.0.0.1", "1", "0x7f.1", "a.0x7f"] {
        assert_eq!(
            fault("sid", NEW.domain(domain)),
            Some(CookieError::AddressDomain),
            "{domain}"
        );
    }
    for domain in ["localhost", "com"] {
        assert_eq!(
            fault("sid", NEW.domain(domain)),
            Some(CookieError::BareDomain),
            "{domain}"
        );
    }
    assert_eq!(
        fault("sid", NEW.domain(".example.com")),
        Some(CookieError::LeadingDot)
    );
}

#[test]
fn a_max_age_that_rounds_to_zero_is_refused() {
    let age = |millis| fault("sid", NEW.max_age(Duration::from_millis(millis)));
    assert_eq!(age(0), Some(CookieError::NoMaxAge));
    assert_eq!(age(999), Some(CookieError::NoMaxAge));
    assert_eq!(age(1_000), None);
    assert_eq!(fault("sid", NEW.expires(SystemTime::UNIX_EPOCH)), None);
}

#[test]
fn same_site_none_and_partitioned_need_secure() {
    assert_eq!(fault("sid", PLAIN), None);
    assert_eq!(
        fault("sid", PLAIN.same_site(SameSite::None)),
        Some(CookieError::SameSiteNoneNotSecure)
    );
    assert_eq!(
        fault("sid", PLAIN.partitioned(true)),
        Some(CookieError::PartitionedNotSecure)
    );
    let third_party = NEW.same_site(SameSite::None).partitioned(true);
    assert_eq!(fault("sid", third_party), None);
}

#[test]
fn prefixes_are_kept_in_any_case() {
    let spellings = |name: &str| [name.to_owned(), name.to_uppercase(), name.to_lowercase()];
    for name in spellings("__Secure-sid") {
        assert_eq!(
            fault(&name, PLAIN),
            Some(CookieError::SecurePrefixNotSecure),
            "{name}"
        );
        assert_eq!(
            fault(
                &name,
                NEW.path("/app").domain("example.com").http_only(false)
            ),
            None
        );
    }
    for prefix in ["__Host-", "__Host-Http-"] {
        for name in spellings(prefix) {
            assert_eq!(fault(&name, NEW), None, "{name}");
            assert_eq!(
                fault(&name, PLAIN),
                Some(CookieError::HostPrefixNotSecure),
                "{name}"
            );
            assert_eq!(
                fault(&name, NEW.domain("example.com")),
                Some(CookieError::HostPrefixWithDomain),
                "{name}"
            );
            assert_eq!(
                fault(&name, NEW.path("/app")),
                Some(CookieError::HostPrefixWithPath),
                "{name}"
            );
        }
    }
    assert_eq!(fault("__Host-sid", NEW.http_only(false)), None);
    for name in spellings("__Http-sid") {
        assert_eq!(
            fault(&name, PLAIN),
            Some(CookieError::HttpPrefixNotSecure),
            "{name}"
        );
        assert_eq!(
            fault(&name, NEW.path("/app").domain("example.com")),
            None,
            "{name}"
        );
    }
    for name in ["__Http-sid", "__HTTP-", "__Host-Http-sid", "__host-http-"] {
        let scripted = NEW.http_only(false);
        assert_eq!(
            fault(name, scripted),
            Some(CookieError::HttpPrefixNotHttpOnly),
            "{name}"
        );
    }
    for name in [
        "_Host-sid",
        "__Host",
        "__Hosts-sid",
        "x__Host-sid",
        "__Secure",
    ] {
        assert_eq!(
            fault(name, PLAIN.path("/app").domain("example.com")),
            None,
            "{name}"
        );
    }
}

#[test]
fn a_message_says_what_is_wrong_and_what_to_do() {
    assert_eq!(
        CookieError::HostPrefixWithDomain.to_string(),
        "a name that starts with `__Host-` allows no domain: remove the prefix or the domain"
    );
    assert_eq!(
        CookieError::SameSiteNoneNotSecure.to_string(),
        "`SameSite::None` needs `Secure::Always`"
    );
}

#[test]
#[should_panic(
    expected = "a cookie's domain starts with a dot, which browsers ignore: remove the dot"
)]
fn what_is_checked_and_wrong_panics() {
    let _ = NEW.domain(".example.com").checked("sid");
}
