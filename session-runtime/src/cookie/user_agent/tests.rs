//! The model itself, on what no cookie of ours makes it do.

use std::time::Duration;

use super::parse::MAX_LIFETIME;
use super::*;

const HOME: Request<'static> = Request {
    https: true,
    host: "www.example.com",
    path: "/app/login",
    cause: Cause::SameSite,
    top_site: "example.com",
};

const HTTP: Request<'static> = Request {
    https: false,
    ..HOME
};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_201)
}

fn receive(line: &str, from: Request<'_>) -> Result<Vec<Stored>, Refusal> {
    let mut browser = UserAgent::new(now());
    browser.receive(line, from)?;
    Ok(browser.cookies)
}

#[test]
fn what_is_too_long_is_ignored() {
    let fits = format!("n={}", "v".repeat(4095));
    assert!(receive(&fits, HOME).is_ok());
    assert_eq!(receive(&format!("{fits}v"), HOME), Err(Refusal::Size));
    let long_path = format!("n=v; Path=/{}", "p".repeat(1024));
    assert_eq!(receive(&long_path, HOME).unwrap()[0].path, "/app");
}

#[test]
fn empty_cookies_and_controls_are_ignored() {
    for line in ["", "=", " ; Path=/", "n=v\u{1}", "n=v\n"] {
        assert_eq!(receive(line, HOME), Err(Refusal::Syntax), "{line:?}");
    }
}

#[test]
fn a_cookie_is_not_for_another_domain() {
    for domain in ["example.org", "a.www.example.com", "ample.com", "com"] {
        let line = format!("n=v; Domain={domain}");
        assert_eq!(receive(&line, HOME), Err(Refusal::Domain), "{domain}");
    }
    let stored = receive("n=v; Domain=.EXAMPLE.com", HOME).unwrap();
    assert_eq!(
        (stored[0].host.as_str(), stored[0].host_only),
        ("example.com", false)
    );
}

#[test]
fn a_single_label_and_an_address_have_no_subdomains() {
    let local = Request {
        host: "localhost",
        ..HOME
    };
    assert!(receive("n=v; Domain=localhost", local).unwrap()[0].host_only);
    let address = Request {
        host: "127.0.0.1",
        ..HOME
    };
    assert_eq!(receive("n=v; Domain=0.0.1", address), Err(Refusal::Domain));
}

#[test]
fn max_age_comes_before_expires_and_ends_at_400_days() {
    let lasting = receive(
        "n=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        HOME,
    );
    assert_eq!(
        lasting.unwrap()[0].expiry,
        Some(now() + Duration::from_mins(1))
    );
    let year = Some(now() + MAX_LIFETIME);
    assert_eq!(
        receive("n=v; Max-Age=999999999", HOME).unwrap()[0].expiry,
        year
    );
    assert_eq!(
        receive("n=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT", HOME).unwrap()[0].expiry,
        year
    );
    for age in ["0", "-1", "-999"] {
        assert!(
            receive(&format!("n=v; Max-Age={age}"), HOME)
                .unwrap()
                .is_empty()
        );
    }
    for age in ["", "-", "+1", "1s"] {
        assert_eq!(
            receive(&format!("n=v; Max-Age={age}"), HOME).unwrap()[0].expiry,
            None
        );
    }
}

#[test]
fn plain_http_neither_sets_nor_overlays_a_secure_cookie() {
    assert_eq!(receive("n=v; Secure", HTTP), Err(Refusal::InsecureOrigin));
    let mut browser = UserAgent::new(now());
    browser.receive("n=v; Secure; Path=/app", HOME).unwrap();
    assert_eq!(
        browser.receive("n=w; Path=/app/x", HTTP),
        Err(Refusal::InsecureOrigin)
    );
    assert_eq!(
        browser.receive("n=w; Domain=example.com; Path=/app", HTTP),
        Err(Refusal::InsecureOrigin)
    );
    assert_eq!(browser.receive("n=w; Path=/", HTTP), Ok(()));
}

#[test]
fn an_embedded_page_sets_only_what_it_would_be_sent() {
    let embedded = Request {
        cause: Cause::ForeignPart,
        ..HOME
    };
    assert_eq!(
        receive("n=v; SameSite=Lax; Secure", embedded),
        Err(Refusal::SameSite)
    );
    assert!(receive("n=v; SameSite=None; Secure", embedded).is_ok());
    assert_eq!(receive("n=v; SameSite=None", HOME), Err(Refusal::SameSite));
    assert_eq!(receive("n=v; Partitioned", HOME), Err(Refusal::Partitioned));
}

#[test]
fn a_prefix_is_kept_in_any_case() {
    for line in [
        "__Secure-n=v",
        "__SECURE-n=v",
        "__Host-n=v; Secure",
        "__host-n=v; Secure; Path=/; Domain=www.example.com",
        "__Http-n=v; Secure",
        "__Host-Http-n=v; Secure; Path=/",
    ] {
        assert_eq!(receive(line, HOME), Err(Refusal::Prefix), "{line}");
    }
}
