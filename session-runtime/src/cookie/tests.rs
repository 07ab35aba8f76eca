//! Every combination of options, against a model of the browser that would receive the cookie.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::user_agent::{Cause, Refusal, Request, UserAgent};
use super::write::CookieWriter;
use super::{ByConnection, Connection, CookieLifetime, CookieOptions, Priority, SameSite, Secure};
use crate::id::SessionId;
use crate::secret::{KeyRing, Secret};
use crate::token::{TokenFormat, Tokens};

mod connections;

const HOUR: Duration = Duration::from_hours(1);

const NAMES: [&str; 7] = [
    "sid",
    "__Secure-sid",
    "__secure-sid",
    "__Host-sid",
    "__HOST-sid",
    "__Http-sid",
    "__Host-Http-sid",
];
const HOST: &str = "www.example.com";
const HOSTS: [&str; 5] = [
    HOST,
    "example.com",
    "a.www.example.com",
    "evil-example.com",
    "a.example.com",
];
const PATHS: [&str; 5] = ["/", "/app", "/app/x", "/apple", "/other"];
const CAUSES: [Cause; 3] = [Cause::SameSite, Cause::ForeignLink, Cause::ForeignPart];

const HOME: Request<'static> = Request {
    https: true,
    host: HOST,
    path: "/app/login",
    cause: Cause::SameSite,
    top_site: "example.com",
};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_435_201)
}

fn all_options() -> Vec<CookieOptions<'static>> {
    let mut all = vec![CookieOptions::new()];
    let mut cross = |with: &dyn Fn(CookieOptions<'static>) -> Vec<CookieOptions<'static>>| {
        all = all.iter().copied().flat_map(with).collect();
    };
    cross(&|o| vec![o, o.path("/app"), o.path("/app/")]);
    cross(&|o| vec![o, o.domain("example.com"), o.domain(HOST)]);
    cross(&|o| vec![o, o.http_only(false)]);
    cross(&|o| vec![o, o.secure(Secure::Never)]);
    cross(&|o| {
        vec![
            o,
            o.same_site(SameSite::Strict),
            o.same_site(SameSite::None),
            o.same_site(SameSite::Unset),
        ]
    });
    cross(&|o| vec![o, o.max_age(HOUR), o.expires(now() + HOUR)]);
    cross(&|o| vec![o, o.partitioned(true)]);
    cross(&|o| vec![o, o.priority(Priority::High)]);
    all
}

fn requests() -> impl Iterator<Item = Request<'static>> {
    let scopes = HOSTS
        .into_iter()
        .flat_map(|host| PATHS.map(|path| (host, path)));
    let ways = [true, false]
        .into_iter()
        .flat_map(|https| CAUSES.map(|cause| (https, cause)));
    let ways: Vec<_> = ways
        .flat_map(|way| ["example.com", "other.test"].map(|site| (way, site)))
        .collect();
    scopes.flat_map(move |(host, path)| {
        ways.clone()
            .into_iter()
            .map(move |((https, cause), top_site)| Request {
                https,
                host,
                path,
                cause,
                top_site,
            })
    })
}

/// Whether the options say that the cookie goes with a request while it lives.
fn is_promised(options: &CookieOptions<'_>, request: Request<'_>) -> bool {
    let host = match options.domain {
        None => request.host == HOST,
        Some(domain) => request.host == domain || request.host.ends_with(&format!(".{domain}")),
    };
    let path = match options.path {
        "/" => true,
        "/app" => matches!(request.path, "/app" | "/app/x"),
        _ => request.path == "/app/x",
    };
    let cause = match options.same_site {
        SameSite::Strict => request.cause == Cause::SameSite,
        SameSite::Lax | SameSite::Auto | SameSite::Unset => request.cause != Cause::ForeignPart,
        SameSite::None => true,
    };
    let https = options.secure == Secure::Never || request.https;
    let site = !options.partitioned || request.top_site == HOME.top_site;
    host && path && cause && https && site
}

fn tokens(name: &str) -> Tokens {
    let secret = Secret::try_from([1; 32].as_slice()).unwrap();
    Tokens::new(KeyRing::new(name, &secret, &[]), TokenFormat::Plain)
}

fn id() -> SessionId {
    SessionId::from_bytes([7; 24])
}

/// A browser that was sent the cookie.
fn browser(name: &str, options: &CookieOptions<'_>) -> (UserAgent, CookieWriter) {
    let writer = CookieWriter::new(name, options).unwrap();
    let mut browser = UserAgent::new(now());
    let line = writer.set(&id(), &tokens(name), options.lifetime());
    let received = browser.receive(line.to_str().unwrap(), HOME);
    assert_eq!(received, Ok(()), "{line:?} for {options:?}");
    (browser, writer)
}

/// The cookie as the options say it, without the rules that the writer keeps.
fn spelled_out(name: &str, options: &CookieOptions<'_>) -> String {
    let mut line = format!(
        "{name}=x; Path={}; SameSite={:?}",
        options.path, options.same_site
    );
    if let Some(domain) = options.domain {
        line = format!("{line}; Domain={domain}");
    }
    for (is_set, attribute) in [
        (options.http_only, "; HttpOnly"),
        (options.secure == Secure::Always, "; Secure"),
        (options.partitioned, "; Partitioned"),
    ] {
        line += if is_set { attribute } else { "" };
    }
    line
}

fn combinations() -> impl Iterator<Item = (&'static str, CookieOptions<'static>)> {
    NAMES.into_iter().flat_map(|name| {
        all_options()
            .into_iter()
            .map(move |options| (name, options))
    })
}

fn accepted() -> impl Iterator<Item = (&'static str, CookieOptions<'static>)> {
    combinations().filter(|(name, options)| options.check(name).is_ok())
}

#[test]
fn a_browser_accepts_what_the_check_lets_through_and_nothing_else() {
    let (mut accepted, mut refused) = (0, 0);
    for (name, options) in combinations() {
        let received = UserAgent::new(now()).receive(&spelled_out(name, &options), HOME);
        assert_eq!(
            options.check(name).is_ok(),
            received.is_ok(),
            "{name} {options:?}"
        );
        if received.is_ok() {
            accepted += 1;
            let (browser, _) = browser(name, &options);
            let stored = &browser.cookies[0];
            assert_eq!(
                (stored.name.as_str(), stored.http_only),
                (name, options.http_only)
            );
            assert_eq!(stored.value, tokens(name).token(&id()));
        } else {
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (3_588, 8_508));
}

#[test]
fn the_cookie_goes_with_exactly_the_promised_requests() {
    for (name, options) in accepted() {
        let (browser, _) = browser(name, &options);
        for request in requests() {
            let is_sent = browser.sent_with(request).next().is_some();
            assert_eq!(
                is_sent,
                is_promised(&options, request),
                "{options:?} {request:?}"
            );
        }
    }
}

#[test]
fn the_cookie_lives_exactly_as_long_as_promised() {
    for (name, options) in accepted() {
        let (mut browser, _) = browser(name, &options);
        let request = Request {
            path: "/app/x",
            ..HOME
        };
        let is_persistent = options.lifetime() != CookieLifetime::BrowserSession;
        browser.now = now() + HOUR - Duration::from_secs(1);
        assert_eq!(browser.sent_with(request).count(), 1, "{options:?}");
        browser.now = now() + HOUR;
        assert_eq!(
            browser.sent_with(request).count(),
            usize::from(!is_persistent)
        );
        browser.now = now();
        browser.quit();
        assert_eq!(
            browser.sent_with(request).count(),
            usize::from(is_persistent)
        );
    }
}

#[test]
fn a_removal_removes_the_cookie_and_no_other() {
    for name in NAMES {
        let neighbours = among_neighbours(name);
        for options in all_options()
            .into_iter()
            .filter(|options| options.check(name).is_ok())
        {
            let writer = CookieWriter::new(name, &options).unwrap();
            let mut browser = neighbours.clone();
            let ours = writer.set(&id(), &tokens(name), options.lifetime());
            assert_eq!(browser.receive(ours.to_str().unwrap(), HOME), Ok(()));
            let mut others = browser.cookies.clone();
            others.retain(|cookie| cookie.value == "neighbour");
            assert_eq!(browser.cookies.len(), others.len() + 1);

            let removal = writer.removal();
            assert_eq!(browser.receive(removal.to_str().unwrap(), HOME), Ok(()));
            assert_eq!(browser.cookies, others, "{removal:?} for {options:?}");
        }
    }
}

/// A browser with a cookie at every place near ours that a browser lets one be.
fn among_neighbours(name: &str) -> UserAgent {
    let mut browser = UserAgent::new(now());
    for name in [name, &name.to_uppercase(), &format!("{name}2"), "other"] {
        for path in ["/", "/app", "/app/", "/app/x"] {
            for domain in ["", "; Domain=example.com", "; Domain=www.example.com"] {
                let line = format!(
                    "{name}=neighbour; Path={path}{domain}; Secure; HttpOnly; SameSite=None"
                );
                let partitioned = format!("{line}; Partitioned");
                let embedded = Request {
                    top_site: "other.test",
                    ..HOME
                };
                // A prefix leaves few places: where none may be, none is.
                let _ = browser.receive(&line, HOME);
                let _ = browser.receive(&partitioned, HOME);
                let _ = browser.receive(&partitioned, embedded);
            }
        }
    }
    browser
}

#[test]
fn the_longest_name_path_and_domain_are_accepted() {
    let label = "a".repeat(63);
    let domain = [&label, &label, &label, "a".repeat(61).as_str()].join(".");
    let path = format!("/{}", "p".repeat(1023));
    let name = "n".repeat(256);
    let options = CookieOptions::new().path(&path).domain(&domain);
    let line = spelled_out(&name, &options);
    assert_eq!(options.check(&name), Ok(()));
    let mut browser = UserAgent::new(now());
    let home = Request {
        host: &domain,
        ..HOME
    };
    assert_eq!(browser.receive(&line, home), Ok(()));
    assert_eq!(
        browser
            .sent_with(Request {
                path: &path,
                ..home
            })
            .count(),
        1
    );
    assert_eq!(browser.sent_with(home).count(), 0);
}

#[test]
fn a_secure_cookie_is_kept_in_development_too_but_not_over_plain_http() {
    let writer = CookieWriter::new("__Host-sid", &CookieOptions::new()).unwrap();
    let line = writer.set(&id(), &tokens("__Host-sid"), CookieLifetime::BrowserSession);
    let receive = |host| {
        let from = Request {
            https: false,
            host,
            ..HOME
        };
        UserAgent::new(now()).receive(line.to_str().unwrap(), from)
    };
    assert_eq!(receive("localhost"), Ok(()));
    assert_eq!(receive("127.0.0.1"), Ok(()));
    assert_eq!(receive(HOST), Err(Refusal::InsecureOrigin));
}
