//! Each option of the cookie, on either kind of connection: the same attributes, in the same order.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sessile::{CookieOptions, Priority, SameSite, Secure};

use super::{HOUR, look};
use crate::both::{Options, Side, World};

/// The same options, here and in Express.
fn pairs() -> Vec<(CookieOptions<'static>, Value)> {
    let plain = CookieOptions::new()
        .secure(Secure::Never)
        .same_site(SameSite::Unset);
    let secure = plain.secure(Secure::Always);
    let auto = plain.secure(Secure::Auto);
    let in_two_hours = SystemTime::now() + 2 * HOUR;
    let millis = in_two_hours.duration_since(UNIX_EPOCH).unwrap().as_millis();
    vec![
        (plain, json!({})),
        (
            plain.expires(in_two_hours),
            json!({ "expires": u64::try_from(millis).unwrap() }),
        ),
        (plain, json!({ "secure": false })),
        (plain.http_only(false), json!({ "httpOnly": false })),
        (
            plain.domain("example.com"),
            json!({ "domain": "example.com" }),
        ),
        (plain.path("/do"), json!({ "path": "/do" })),
        (plain.same_site(SameSite::Lax), json!({ "sameSite": "lax" })),
        (
            plain.same_site(SameSite::Strict),
            json!({ "sameSite": "strict" }),
        ),
        (plain.priority(Priority::Low), json!({ "priority": "low" })),
        (
            plain.priority(Priority::Medium),
            json!({ "priority": "medium" }),
        ),
        (
            plain.priority(Priority::High),
            json!({ "priority": "high" }),
        ),
        (secure, json!({ "secure": true })),
        (
            secure.same_site(SameSite::None),
            json!({ "secure": true, "sameSite": "none" }),
        ),
        (
            secure.partitioned(true),
            json!({ "secure": true, "partitioned": true }),
        ),
        (auto, json!({ "secure": "auto" })),
        (
            auto.same_site(SameSite::Auto),
            json!({ "secure": "auto", "sameSite": "auto" }),
        ),
        (
            secure
                .http_only(false)
                .domain("example.com")
                .path("/do")
                .same_site(SameSite::Strict)
                .partitioned(true)
                .priority(Priority::High),
            json!({
                "secure": true,
                "httpOnly": false,
                "domain": "example.com",
                "path": "/do",
                "sameSite": "strict",
                "partitioned": true,
                "priority": "high",
            }),
        ),
    ]
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn each_option_of_the_cookie_does_what_it_does_in_express() {
    let mut world = World::start();
    for (cookie, express_cookie) in pairs() {
        for (max_age, scheme) in [None, Some(HOUR)]
            .into_iter()
            .flat_map(|age| ["http", "https"].map(|scheme| (age, scheme)))
        {
            let options = Options {
                cookie,
                express_cookie: express_cookie.clone(),
                max_age,
                ..Options::default()
            };
            let mut seen = Vec::new();
            for side in Side::BOTH {
                let mut browser = world.browser(&options);
                browser.scheme = scheme;
                let mut of_side = Vec::new();
                for value in 1..=2 {
                    let deeds = json!([["set", ["draftedAt"], value]]);
                    of_side.push(look(&mut world, side, &mut browser, Some(&deeds)).await);
                }
                seen.push(of_side);
            }
            let context = format!("{express_cookie} {max_age:?} {scheme}");
            for (express, axum) in seen[0].iter().zip(&seen[1]) {
                let differing = express.differing(axum);
                assert_eq!(differing, [], "{context}: {express:?} {axum:?}");
            }
        }
    }
}
