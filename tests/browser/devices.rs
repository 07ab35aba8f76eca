//! Two browsers that share nothing: what the one signs out, the other learns; and a planted id serves
//! nobody.

use std::time::{Duration, SystemTime};

use crate::chromium::{Browser, browse, browse_both};
use crate::site::seconds;
use crate::{login, wire};

const COOKIE: &str = "__Host-sid";
const ANN: [&str; 2] = ["ann", "correct horse"];
const BOB: [&str; 2] = ["bob", "battery staple"];

const SAYS_SIGNED_IN: &str = "document.getElementById('state').textContent == 'signed in'
    && socket.readyState == WebSocket.OPEN";
const SAYS_SIGNED_OUT: &str = "document.getElementById('state').textContent == 'signed out'
    && socket.readyState == WebSocket.CLOSED";

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn signing_out_everywhere_reaches_the_open_page_of_another_browser() {
    let site = serve().await;
    browse_both(async move |here, there| {
        sign_in(&here, &site, ANN).await;
        sign_in(&there, &site, ANN).await;
        here.reload().await;
        for browser in [&here, &there] {
            assert_eq!(devices(browser).await, 2);
            browser.wait_for(SAYS_SIGNED_IN).await;
        }
        here.click("[formaction='/sign-out-everywhere']").await;
        assert_eq!(path(&here).await, "/login");
        there.wait_for(SAYS_SIGNED_OUT).await;
        assert_eq!(path(&there).await, "/", "the page is still open");
        there.click("[formaction='/sign-out-others']").await;
        assert_eq!(path(&there).await, "/login");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn signing_out_one_device_reaches_its_open_page_and_leaves_this_one_alone() {
    let site = serve().await;
    browse_both(async move |here, there| {
        sign_in(&there, &site, ANN).await;
        sign_in(&here, &site, ANN).await;
        there.wait_for(SAYS_SIGNED_IN).await;
        let page = here.click("button[name=session]").await;
        assert!(page.contains("Signed out there."), "{page}");
        assert_eq!(devices(&here).await, 1);
        here.wait_for(SAYS_SIGNED_IN).await;
        there.wait_for(SAYS_SIGNED_OUT).await;
        there.reload().await;
        assert_eq!(path(&there).await, "/login");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn only_a_remembered_visitor_has_a_cookie_that_outlives_the_browser() {
    const FORTNIGHT: Duration = Duration::from_hours(24 * 14);
    let site = serve().await;
    browse(async move |browser| {
        sign_in(&browser, &site, ANN).await;
        let cookie = browser.cookie(COOKIE).await.unwrap();
        assert_eq!(cookie.expires(), None, "it ends with the browser");
        browser.click("[formaction='/sign-out']").await;
        assert_eq!(browser.cookie(COOKIE).await, None);

        let earliest = seconds(SystemTime::now() + FORTNIGHT);
        fill_in(&browser, &site, ANN).await;
        browser.tick("[name=remember_me]").await;
        browser.click("button").await;
        let latest = seconds(SystemTime::now() + FORTNIGHT);
        let cookie = browser.cookie(COOKIE).await.unwrap();
        let kept_until = cookie.expires_datetime().unwrap().unix_timestamp();
        // `Max-Age` is whole seconds, rounded down.
        assert!(
            (earliest - 1..=latest).contains(&kept_until),
            "{earliest} {kept_until} {latest}"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn a_planted_id_dies_with_the_sign_in_of_its_victim() {
    let site = serve().await;
    browse_both(async move |attacker, victim| {
        for attackers_own in [None, Some(BOB)] {
            // The attacker has the site itself make the id, and gives it to the victim.
            sign_in(&attacker, &site, ["mallory", "guessed"]).await;
            if let Some(account) = attackers_own {
                sign_in(&attacker, &site, account).await;
            }
            let planted = attacker.cookie(COOKIE).await.unwrap();
            victim.goto(&site).await;
            victim.plant(COOKIE, planted.value()).await;
            let page = victim.goto(&site).await;
            assert_eq!(
                page.contains("You are bob"),
                attackers_own.is_some(),
                "{page}"
            );
            let carried = victim.cookie(COOKIE).await.unwrap();
            assert_eq!(carried.value(), planted.value());

            let page = sign_in(&victim, &site, ANN).await;
            assert!(page.contains("You are ann"), "{page}");
            let own = victim.cookie(COOKIE).await.unwrap();
            assert_ne!(own.value(), planted.value());

            let page = attacker.goto(&site).await;
            assert_eq!(path(&attacker).await, "/login");
            assert!(!page.contains("ann"), "{page}");
            let sent = attacker.cookie(COOKIE).await.unwrap();
            assert_eq!(
                sent.value(),
                planted.value(),
                "it is the planted id that is dead"
            );
            assert_eq!(devices(&victim).await, 1, "the attacker is not among them");
            victim.click("[formaction='/sign-out']").await;
        }
    })
    .await;
}

async fn serve() -> String {
    format!(
        "http://{}/",
        wire::serve(login::app(login::sessions())).await
    )
}

/// Signs in, and returns the text of the page that it leads to.
async fn sign_in(browser: &Browser, site: &str, account: [&str; 2]) -> String {
    fill_in(browser, site, account).await;
    browser.click("button").await
}

async fn fill_in(browser: &Browser, site: &str, [user, password]: [&str; 2]) {
    browser.goto(&format!("{site}login")).await;
    browser.fill("[name=user]", user).await;
    browser.fill("[name=password]", password).await;
}

async fn path(browser: &Browser) -> String {
    let path = browser.run("return location.pathname").await;
    path.as_str().unwrap().to_owned()
}

/// How many devices the page lists.
async fn devices(browser: &Browser) -> u64 {
    let rows = "return document.querySelectorAll('td:first-child').length";
    browser.run(rows).await.as_u64().unwrap()
}
