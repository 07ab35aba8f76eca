//! The options of a cookie: which requests carry it, and that it can be removed.

use sessile::{CookieOptions, Priority, SameSite, Secure};

use crate::chromium::browse;
use crate::site::Way::{self, ForeignLink, ForeignPart, Inside, Outside};
use crate::site::{Site, names};

/// What the options of a cookie promise.
struct Promise {
    name: &'static str,
    options: CookieOptions<'static>,
    /// The attributes, as the browser shows them.
    shown: &'static str,
    /// The requests that carry it.
    sent: &'static [Way],
}

const PROMISES: [Promise; 15] = {
    const COOKIE: CookieOptions = CookieOptions::new();
    const PLAIN: CookieOptions = COOKIE.secure(Secure::Never);
    const NONE: CookieOptions = COOKIE.same_site(SameSite::None);
    [
        Promise {
            name: "__Host-lax",
            options: COOKIE,
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "__Host-strict",
            options: COOKIE.same_site(SameSite::Strict),
            shown: "HttpOnly; SameSite=Strict; Secure; Path=/",
            sent: &[Inside, Outside],
        },
        Promise {
            name: "__Host-none",
            options: NONE,
            shown: "HttpOnly; SameSite=None; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink, ForeignPart],
        },
        Promise {
            name: "__Host-partitioned",
            options: NONE.partitioned(true),
            shown: "HttpOnly; SameSite=None; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "__Host-script",
            options: COOKIE.http_only(false),
            shown: "SameSite=Lax; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "__Http-lax",
            options: COOKIE.path("/app"),
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/app",
            sent: &[Inside, ForeignLink],
        },
        Promise {
            name: "__Host-Http-lax",
            options: COOKIE,
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "__Secure-path",
            options: COOKIE.path("/app"),
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/app",
            sent: &[Inside, ForeignLink],
        },
        Promise {
            name: "__Secure-none-path",
            options: NONE.path("/app/"),
            shown: "HttpOnly; SameSite=None; Secure; Path=/app/",
            sent: &[Inside, ForeignLink, ForeignPart],
        },
        Promise {
            name: "plain-lax",
            options: PLAIN,
            shown: "HttpOnly; SameSite=Lax; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "plain-strict-path",
            options: PLAIN.same_site(SameSite::Strict).path("/app"),
            shown: "HttpOnly; SameSite=Strict; Path=/app",
            sent: &[Inside],
        },
        Promise {
            name: "plain-script",
            options: PLAIN.http_only(false),
            shown: "SameSite=Lax; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "auto",
            options: COOKIE.secure(Secure::Auto).same_site(SameSite::Auto),
            shown: "HttpOnly; SameSite=Lax; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "priority",
            options: COOKIE.priority(Priority::High),
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
        Promise {
            name: "marks!#$%&'*+-.^_`|~",
            options: COOKIE,
            shown: "HttpOnly; SameSite=Lax; Secure; Path=/",
            sent: &[Inside, Outside, ForeignLink],
        },
    ]
};

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn the_cookie_goes_where_its_options_promise_and_is_removed() {
    browse(async move |browser| {
        for Promise {
            name,
            options,
            shown,
            sent,
        } in PROMISES
        {
            let site = Site::new(name, options).await;
            browser.goto(&site.url("/app/visit")).await;
            assert_eq!(
                browser.attributes(name).await,
                format!("{shown}; Domain=127.0.0.1")
            );
            let scripts_see = browser.run("return document.cookie").await;
            let is_seen = names(scripts_see.as_str().unwrap()).any(|known| known == name);
            assert_eq!(is_seen, !shown.contains("HttpOnly"), "{name}");
            for way in [Inside, Outside, ForeignLink, ForeignPart] {
                let is_sent = names(&site.ask(&browser, way).await).any(|known| known == name);
                assert_eq!(is_sent, sent.contains(&way), "{name} {way:?}");
            }
            assert_eq!(browser.goto(&site.url("/app/visit")).await, "2", "{name}");
            browser.goto(&site.url("/app/logout")).await;
            assert!(browser.cookie(name).await.is_none(), "{name} is removed");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn a_domain_shares_the_cookie_with_its_subdomains() {
    let plain = CookieOptions::new().secure(Secure::Never);
    let shared = Site::new("shared", plain.domain("example.test")).await;
    let host_only = Site::new("host-only", plain).await;
    browse(async move |browser| {
        for (site, hosts) in [
            (
                shared,
                ["www.example.test", "a.www.example.test", "example.test"].as_slice(),
            ),
            (host_only, &["www.example.test"]),
        ] {
            browser
                .goto(&site.on("www.example.test", "/app/visit"))
                .await;
            for host in [
                "www.example.test",
                "a.www.example.test",
                "example.test",
                "evil-example.test",
            ] {
                let cookies = browser.goto(&site.on(host, "/app/cookies")).await;
                let is_sent = names(&cookies).any(|known| known == site.name);
                assert_eq!(is_sent, hosts.contains(&host), "{} {host}", site.name);
            }
            browser
                .goto(&site.on("www.example.test", "/app/logout"))
                .await;
            assert!(browser.cookie(site.name).await.is_none());
        }
    })
    .await;
}
