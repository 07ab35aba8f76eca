//! What the check of a cookie's options refuses, beside what a browser refuses.

use axum::Router;
use axum::routing::get;
use http::header::SET_COOKIE;
use sessile::{CookieOptions, SameSite, Secure};

use crate::chromium::browse;
use crate::wire;

/// Options that the check refuses for a name, the cookie that they ask for, and one without the fault.
const FAULTS: [(&str, CookieOptions, &str, &str); 9] = {
    const COOKIE: CookieOptions = CookieOptions::new();
    const PLAIN: CookieOptions = COOKIE.secure(Secure::Never);
    [
        (
            "__Host-a",
            COOKIE.path("/app"),
            "__Host-a=1; Secure; Path=/app",
            "__Host-a=1; Secure; Path=/",
        ),
        (
            "__Host-b",
            PLAIN,
            "__Host-b=1; Path=/",
            "__Host-b=1; Secure; Path=/",
        ),
        (
            "__HOST-c",
            PLAIN,
            "__HOST-c=1; Path=/",
            "__HOST-c=1; Secure; Path=/",
        ),
        (
            "__Secure-d",
            PLAIN,
            "__Secure-d=1; Path=/",
            "__Secure-d=1; Secure; Path=/",
        ),
        (
            "e",
            PLAIN.same_site(SameSite::None),
            "e=1; SameSite=None; Path=/",
            "e=1; SameSite=None; Secure; Path=/",
        ),
        (
            "f",
            PLAIN.partitioned(true),
            "f=1; Partitioned; Path=/",
            "f=1; Partitioned; Secure; Path=/",
        ),
        (
            "__Http-g",
            COOKIE.http_only(false),
            "__Http-g=1; Secure; Path=/",
            "__Http-g=1; Secure; HttpOnly; Path=/",
        ),
        (
            "__Http-h",
            PLAIN,
            "__Http-h=1; HttpOnly; Path=/",
            "__Http-h=1; HttpOnly; Secure; Path=/",
        ),
        (
            "__Host-Http-i",
            COOKIE.http_only(false),
            "__Host-Http-i=1; Secure; Path=/",
            "__Host-Http-i=1; Secure; HttpOnly; Path=/",
        ),
    ]
};

#[tokio::test]
#[ignore = "needs Chromium and its driver: ./tests/all installs and runs them"]
async fn what_the_check_refuses_the_browser_refuses_too() {
    let mut app = Router::new();
    for (name, _, faulty, sound) in FAULTS {
        let set = |line: &'static str| get(async move || [(SET_COOKIE, line)]);
        app = app
            .route(&format!("/faulty/{name}"), set(faulty))
            .route(&format!("/sound/{name}"), set(sound));
    }
    let site = format!("http://{}", wire::serve(app).await);
    browse(async move |browser| {
        for (name, options, faulty, sound) in FAULTS {
            assert!(options.check(name).is_err(), "{faulty}");
            browser.goto(&format!("{site}/faulty/{name}")).await;
            assert!(browser.cookie(name).await.is_none(), "{faulty}");
            browser.goto(&format!("{site}/sound/{name}")).await;
            assert!(browser.cookie(name).await.is_some(), "{sound}");
        }
    })
    .await;
}
