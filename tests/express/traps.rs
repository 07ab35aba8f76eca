//! What goes wrong beside Express for whoever does not know it, each by itself.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use sessile::{CookieOptions, Priority, SameSite, Secure, Session};

use crate::both::{Browser, Options, Side, World};
use crate::support::{Log, Visitor};

const ID: &str = "0123456789abcdefghijklmnopqrstuv";

/// A browser whose session is this text, which neither app has written.
async fn planted(world: &mut World, text: &str) -> Browser {
    let body = json!([{ "id": ID, "secret": "keyboard cat" }]);
    let signed = world.ask("/sign", &body).await;
    world
        .raw
        .ask(&["SET", &format!("sess:{ID}"), text, "EX", "86400"]);
    let mut browser = world.browser(&Options::default());
    browser.cookie = Some(signed[0].as_str().unwrap().to_owned());
    browser
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_record_without_a_cookie_breaks_express_until_we_write_it() {
    let mut world = World::start();
    let mut browser = planted(&mut world, r#"{"pageViews":1}"#).await;
    let broken = browser.send(Side::Express, "POST /do", &json!([])).await;
    assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(browser.read(Side::Axum).await, json!({ "pageViews": 1 }));
    browser
        .act(Side::Axum, json!([["set", ["pageViews"], 2]]))
        .await;
    let cookie = json!({ "originalMaxAge": null, "expires": null, "httpOnly": true, "path": "/" });
    assert_eq!(Value::from(world.entry(&browser).unwrap().cookie()), cookie);
    assert_eq!(browser.read(Side::Express).await, json!({ "pageViews": 2 }));
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_is_no_session_object_is_an_error_on_both_sides_and_stays() {
    let mut world = World::start();
    for text in ["no JSON", "[1]", "7"] {
        let mut browser = planted(&mut world, text).await;
        for side in Side::BOTH {
            let deeds = json!([["set", ["pageViews"], 1]]);
            let answer = browser.send(side, "POST /do", &deeds).await;
            let expected = match side {
                Side::Express => StatusCode::INTERNAL_SERVER_ERROR,
                Side::Axum => StatusCode::SERVICE_UNAVAILABLE,
            };
            assert_eq!(answer.status, expected, "{text}");
            assert_eq!(answer.set_cookies(), [""; 0]);
            assert_eq!(world.entry(&browser).unwrap().text, text);
        }
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn express_sends_a_cookie_again_with_the_attributes_that_we_wrote_down() {
    let world = World::start();
    let cookie = CookieOptions::new()
        .domain("example.com")
        .path("/")
        .http_only(false)
        .secure(Secure::Never)
        .same_site(SameSite::Strict)
        .priority(Priority::High);
    // The Express app is told nothing of them: it takes them from the record.
    let options = Options {
        cookie,
        ..Options::default()
    };
    let mut browser = world.browser(&options);
    let change = |to: u8| json!([["maxAge", 3_600_000], ["set", ["pageViews"], to]]);
    let ours = browser
        .send(Side::Axum, "POST /do", &change(1))
        .await
        .set_cookie();
    let theirs = browser
        .send(Side::Express, "POST /do", &change(2))
        .await
        .set_cookie();
    let [ours, theirs] = [ours, theirs].map(|set| attributes(&set));
    assert_eq!(
        ours,
        "Domain=example.com; Path=/; Expires=..; Priority=High; SameSite=Strict"
    );
    assert_eq!(ours, theirs);
}

/// All but the value and the time.
fn attributes(set: &str) -> String {
    let attributes = set.split("; ").skip(1);
    let attributes: Vec<_> = attributes
        .map(|it| {
            if it.starts_with("Expires=") {
                "Expires=.."
            } else {
                it
            }
        })
        .collect();
    attributes.join("; ")
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn the_names_that_do_not_compile_are_those_that_express_drops() {
    let world = World::start();
    let names = world.names_of_express().await;
    let derive = include_str!("../../session-derive/src/keys.rs");
    assert_eq!(list_after("EXPRESS: &[&str] = &[", derive), names);
    // And those of structs, which only a running layer knows.
    let runtime = include_str!("../../session-runtime/src/dialect/express/reserved.rs");
    assert_eq!(list_after("RESERVED: [&str; 21] = [", runtime), names);
}

fn list_after<'c>(start: &str, code: &'c str) -> Vec<&'c str> {
    let (_, list) = code.split_once(start).unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).collect()
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn express_deletes_what_bears_a_name_of_its_own_even_where_it_only_reads() {
    let mut world = World::start();
    let names = world.names_of_express().await;
    let mut record = json!({ "cookie": {}, "pageViews": 1 });
    for name in names.iter().filter(|name| *name != "cookie") {
        record[name.as_str()] = json!("kept by nobody");
    }
    let mut browser = planted(&mut world, &record.to_string()).await;
    // What we do not know we leave alone.
    browser
        .act(Side::Axum, json!([["set", ["pageViews"], 2]]))
        .await;
    let fields = world.entry(&browser).unwrap().fields();
    assert_eq!(fields.len(), names.len());
    let read = browser.read(Side::Express).await;
    assert_eq!(read, json!({ "pageViews": 2 }));
    let fields = world.entry(&browser).unwrap().fields();
    assert_eq!(Value::from(fields), json!({ "pageViews": 2 }));
}

/// Stored under its name, `touch`, as an object beside the fields.
#[derive(Session)]
struct Touch {
    count: u64,
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_struct_whose_own_name_express_would_drop_is_refused() {
    let mut world = World::start();
    let touch = get(async |mut touch: Session<Touch>| touch.count += 1);
    let app = Options::default().axum(&world.redis, Router::new().route("/", touch));
    let refused = Visitor::new(&app).get("/").await;
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(refused.set_cookies(), [""; 0]);
    assert_eq!(world.raw.count(), 0);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn an_integer_that_javascript_reads_as_another_is_refused_by_name() {
    const MOST: u64 = (1 << 53) - 1;
    let mut world = World::start();
    let mut browser = world.browser(&Options::default());
    browser
        .act(Side::Axum, json!([["set", ["pageViews"], MOST]]))
        .await;
    assert_eq!(
        browser.read(Side::Express).await,
        json!({ "pageViews": MOST })
    );
    let (log, _guard) = Log::listen();
    for (path, value, name) in [
        (json!(["pageViews"]), json!(MOST + 1), "pageViews"),
        (json!(["profile"]), json!({ "a": [MOST + 2] }), "profile"),
        (
            json!(["cart", "items"]),
            json!({ "Tea": MOST + 2 }),
            "cart.items",
        ),
    ] {
        let deeds = json!([["set", path, value]]);
        let refused = browser.send(Side::Axum, "POST /do", &deeds).await;
        assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(refused.set_cookies(), [""; 0]);
        let said = log.events().join("\n");
        assert!(said.contains(&format!("`{name}`")), "{said}");
    }
    let fields = world.entry(&browser).unwrap().fields();
    assert_eq!(Value::from(fields), json!({ "pageViews": MOST }));
    // As a text it is what it is on both sides.
    let text = (MOST + 2).to_string();
    browser
        .act(Side::Axum, json!([["set", ["name"], text]]))
        .await;
    assert_eq!(browser.read(Side::Express).await["name"], text);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_express_puts_into_an_object_of_ours_survives() {
    let mut world = World::start();
    let mut browser = world.browser(&Options::default());
    browser
        .act(Side::Axum, json!([["set", ["cart", "note"], "a"]]))
        .await;
    browser
        .act(
            Side::Express,
            json!([["set", ["cart", "gift"], { "é": [] }]]),
        )
        .await;
    browser
        .act(Side::Axum, json!([["set", ["cart", "note"], "b"]]))
        .await;
    let kept = json!({ "cart": { "note": "b", "gift": { "é": [] } } });
    assert_eq!(browser.read(Side::Express).await, kept);
    // An object that is none any more is one again with what we put there.
    for odd in [json!({}), json!([]), json!(5), json!(null)] {
        browser
            .act(Side::Express, json!([["set", ["cart"], odd]]))
            .await;
        assert_eq!(browser.read(Side::Axum).await, json!({}), "{odd}");
        browser
            .act(Side::Axum, json!([["set", ["cart", "note"], "c"]]))
            .await;
        let entry = world.entry(&browser).unwrap();
        assert_eq!(
            entry.text.matches(r#""cart":"#).count(),
            1,
            "{}",
            entry.text
        );
        let made = json!({ "cart": { "note": "c" } });
        assert_eq!(browser.read(Side::Express).await, made, "{odd}");
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_only_javascript_can_hold_survives_our_writes() {
    let mut world = World::start();
    let odd = r#""half":"\ud83d","10":1,"2":1e+400,"-0":-0,"é\u0000\"":{"":[]}"#;
    let text = format!(r#"{{"cookie":{{}},{odd},"pageViews":1}}"#);
    let mut browser = planted(&mut world, &text).await;
    browser
        .act(Side::Axum, json!([["set", ["pageViews"], 2]]))
        .await;
    let written = world.entry(&browser).unwrap().text;
    assert!(
        written.ends_with(&format!(r#",{odd},"pageViews":2}}"#)),
        "{written}"
    );
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_max_age_for_ever_does_not_end_with_express_s_next_save() {
    let mut world = World::start();
    let mut browser = world.browser(&Options::default());
    let deeds = json!([["set", ["pageViews"], 1], ["maxAge", u64::MAX]]);
    browser.act(Side::Axum, deeds).await;
    for side in Side::BOTH {
        let deeds = json!([["set", ["name"], format!("{side:?}")]]);
        browser.act(side, deeds).await;
        let kept = json!({ "pageViews": 1, "name": format!("{side:?}") });
        assert_eq!(browser.read(side.other()).await, kept, "{side:?}");
        let cookie = world.entry(&browser).unwrap().cookie();
        assert!(cookie["originalMaxAge"].is_u64(), "{cookie:?}");
    }
}
