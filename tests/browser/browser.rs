//! The cookie and the examples in a real browser.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod chromium;
mod devices;
mod refusals;
mod scope;
mod site;
mod strangler;
#[path = "../support/trace.rs"]
mod trace;
#[path = "../support/wire.rs"]
mod wire;
/// Where `wire` looks for it.
mod support {
    pub(crate) use crate::trace;
}

#[path = "../../examples/cart.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod cart;
#[path = "../../examples/login.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod login;
#[path = "../../examples/page_views.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod page_views;

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use chromium::browse;
use sessile::CookieOptions;
use site::{HOUR, Site, seconds};
use tokio::sync::Barrier;

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn page_views_counts_up_on_loopback_hosts() {
    let port = wire::serve(page_views::app()).await.port();
    browse(async move |browser| {
        for host in ["127.0.0.1", "localhost"] {
            let page = format!("http://{host}:{port}/");
            let welcome = browser.goto(&page).await;
            assert_eq!(welcome, "Welcome to this page for the first time!");
            assert_eq!(browser.goto(&page).await, "You visited this page 2 times");
            assert_eq!(browser.reload().await, "You visited this page 3 times");
            let shown = "HttpOnly; SameSite=Lax; Secure; Path=/";
            assert_eq!(
                browser.attributes("__Host-sid").await,
                format!("{shown}; Domain={host}")
            );
            assert_eq!(browser.run("return document.cookie").await, "");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn a_secure_cookie_is_not_kept_over_plain_http() {
    let port = wire::serve(page_views::app()).await.port();
    browse(async move |browser| {
        for _ in 0..2 {
            let page = browser
                .goto(&format!("http://www.example.test:{port}/"))
                .await;
            assert_eq!(page, "Welcome to this page for the first time!");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn after_a_logout_the_browser_sends_nothing_and_starts_anew() {
    let site = Site::new("__Host-sid", CookieOptions::new()).await;
    browse(async move |browser| {
        assert_eq!(browser.goto(&site.url("/app/visit")).await, "1");
        assert_eq!(browser.goto(&site.url("/app/visit")).await, "2");
        let before = browser.cookie("__Host-sid").await.unwrap();
        browser.goto(&site.url("/app/logout")).await;
        assert_eq!(browser.cookie("__Host-sid").await, None);
        assert_eq!(browser.goto(&site.url("/app/cookies")).await, "");
        assert_eq!(browser.goto(&site.url("/app/visit")).await, "1");
        let after = browser.cookie("__Host-sid").await.unwrap();
        assert_ne!(after.value(), before.value());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn a_persistent_cookie_ends_when_the_server_says() {
    let options = CookieOptions::new();
    let aged = Site::new("aged", options.max_age(HOUR)).await;
    let dated = Site::new("dated", options.expires(SystemTime::now() + HOUR)).await;
    let remembered = Site::new("remembered", options).await;
    browse(async move |browser| {
        browser.goto(&remembered.url("/app/visit")).await;
        let cookie = browser.cookie("remembered").await.unwrap();
        assert!(cookie.expires().is_none(), "it ends with the browser");
        for (site, path) in [
            (aged, "/app/visit"),
            (dated, "/app/visit"),
            (remembered, "/app/remember"),
        ] {
            browser.goto(&site.url(path)).await;
            let latest = seconds(SystemTime::now() + HOUR);
            let cookie = browser.cookie(site.name).await.unwrap();
            let kept_until = cookie.expires_datetime().unwrap().unix_timestamp();
            let end: i64 = browser.goto(&site.url("/app/end")).await.parse().unwrap();
            // `Max-Age` is whole seconds, rounded down, and counts from when it is received.
            assert!(
                (end - 2..=latest).contains(&kept_until),
                "{} {kept_until} {end}",
                site.name
            );
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn two_tabs_of_the_cart_lose_nothing() {
    let together = from_fn_with_state(Arc::new(Barrier::new(2)), slow_ones_together);
    let app = cart::app().layer(together);
    let page = format!("http://{}/", wire::serve(app).await);
    browse(async move |browser| {
        let add_tea = "[formaction='/add-slowly'][value=Tea]";
        browser.goto(&page).await;
        let first = browser.tab().await;
        browser.start_click(add_tea).await;
        browser.open_tab().await;
        browser.goto(&page).await;
        browser.click(add_tea).await;
        browser.turn_to(&first).await;
        browser.arrive().await;
        let cart = browser.reload().await;
        assert!(cart.contains("Tea € 3.50 2 "), "{cart}");
        assert!(cart.contains("Total: € 7.00"), "{cart}");
    })
    .await;
}

/// Lets neither of two in before the other has come.
async fn slow_ones_together(both: State<Arc<Barrier>>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/add-slowly" {
        both.wait().await;
    }
    next.run(request).await
}
