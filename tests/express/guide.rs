//! What the guide "From express-session" says of both sides, beyond the differences that are listed.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use sessile::{Session, SessionHandle, Sessions};

use crate::both::{Browser, Options, Side, World};
use crate::support::Visitor;

#[derive(Session)]
#[session(flatten)]
struct Owner {
    #[session(required, owner)]
    user: String,
}

const DAY: Duration = Duration::from_hours(24);

async fn begin(world: &World, side: Side, options: &Options) -> Browser {
    let mut browser = world.browser(options);
    let deeds = json!([["set", ["pageViews"], 1]]);
    browser.act(side, deeds).await;
    browser
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_max_age_is_stored_here_and_by_express_only_beside_a_change() {
    let mut world = World::start();
    for side in Side::BOTH {
        let mut browser = begin(&world, side, &Options::default()).await;
        let ages = json!([["maxAge", 3_600_000]]);
        let answer = browser.send(side, "POST /do", &ages).await;
        let is_ours = side == Side::Axum;
        assert_eq!(answer.set_cookies().len(), usize::from(is_ours), "{side:?}");
        let cookie = world.entry(&browser).unwrap().cookie();
        assert_eq!(cookie["originalMaxAge"].is_number(), is_ours, "{side:?}");
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_a_failing_request_changed_is_stored_by_express_and_dropped_here() {
    let world = World::start();
    for side in Side::BOTH {
        for status in [400, 408, 500, 503] {
            let mut browser = begin(&world, side, &Options::default()).await;
            let deeds = json!([["set", ["pageViews"], 2], ["status", status]]);
            let answer = browser.send(side, "POST /do", &deeds).await;
            assert_eq!(answer.status, status);
            let is_dropped = side == Side::Axum && status != 400;
            let left = if is_dropped { 1 } else { 2 };
            let shown = browser.read(side.other()).await;
            assert_eq!(shown, json!({ "pageViews": left }), "{side:?} {status}");
        }
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_session_that_is_set_to_null_stays_unless_express_is_told_to_destroy_it() {
    let mut world = World::start();
    for (unset, left) in [("keep", 1), ("destroy", 0)] {
        let options = Options {
            unset,
            ..Options::default()
        };
        let mut browser = begin(&world, Side::Express, &options).await;
        browser.act(Side::Express, json!([["unset"]])).await;
        assert_eq!(world.raw.count(), left, "{unset}");
        let shown = browser.read(Side::Axum).await;
        assert_eq!(shown == json!({ "pageViews": 1 }), unset == "keep");
        world.raw.ask(&["FLUSHALL"]);
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn the_methods_of_express_s_store_see_our_sessions() {
    let mut world = World::start();
    let mut browsers = Vec::new();
    for side in Side::BOTH {
        browsers.push(begin(&world, side, &Options::default()).await);
    }
    assert_eq!(world.ask("/store/length", &json!({})).await, 2);
    let all = world.ask("/store/all", &json!({})).await;
    let views = all.as_array().unwrap().iter().map(|it| &it["pageViews"]);
    assert_eq!(views.collect::<Vec<_>>(), [1, 1]);
    world.ask("/store/clear", &json!({})).await;
    assert_eq!(world.raw.count(), 0);
    for mut browser in browsers {
        for side in Side::BOTH {
            assert_eq!(browser.read(side).await, json!({}), "{side:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn an_owner_is_a_privilege_and_no_more() {
    let mut world = World::start();
    let login = async |session: SessionHandle| {
        let user = "ann".to_owned();
        session.insert(Owner { user })
    };
    let list = async |all: Sessions| match all.list::<Owner>(&"ann".to_owned()).await {
        Ok(sessions) => format!("{} sessions", sessions.len()),
        Err(error) => error.to_string(),
    };
    let routes = Router::new()
        .route("/login", get(login))
        .route("/me", get(async |owner: Owner| owner.user))
        .route("/list", get(list));
    let app = Options::default().axum(&world.redis, routes);
    let mut browser = begin(&world, Side::Express, &Options::default()).await;
    let anonymous = browser.clone();
    let mut visitor = Visitor::new(&app);
    visitor.plant("connect.sid", browser.cookie.as_ref().unwrap());
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    assert_eq!(visitor.get("/me").await.body, "ann");
    assert_eq!(anonymous.clone().read(Side::Express).await, json!({}));
    browser.cookie = visitor.cookie("connect.sid").map(ToOwned::to_owned);
    let kept = json!({ "pageViews": 1, "user": "ann" });
    assert_eq!(browser.read(Side::Express).await, kept);
    assert_eq!(world.raw.count(), 1);
    let refused =
        "sessions beside an Express app are not found by their owner: its records name none";
    assert_eq!(visitor.get("/list").await.body, refused);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn of_several_cookies_the_valid_one_counts_here_and_the_first_in_express() {
    let world = World::start();
    let mut browsers = Vec::new();
    for side in Side::BOTH {
        browsers.push(begin(&world, side, &Options::default()).await);
    }
    let [one, other] = [0, 1].map(|at| browsers[at].cookie.clone().unwrap());
    let views = json!({ "pageViews": 1 });
    for (values, in_express, here) in [
        ([one.as_str(), "s%3Aforged.tag"], &views, &views),
        (["s%3Aforged.tag", &one], &json!({}), &views),
        ([one.as_str(), &other], &views, &json!({})),
    ] {
        let [first, second] = values;
        for (side, expected) in [(Side::Express, in_express), (Side::Axum, here)] {
            let mut browser = browsers[0].clone();
            browser.cookie = Some(format!("{first}; connect.sid={second}"));
            assert_eq!(browser.read(side).await, *expected, "{side:?} {values:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn an_id_of_another_form_is_nobody_here() {
    let mut world = World::start();
    for id in [
        "custom",
        "0123456789abcdefghijklmnopqrstu!",
        "9d3c1f0e-6d1c-4a0e-9a5a-3f0b5c1d2e4f",
    ] {
        let body = json!([{ "id": id, "secret": "keyboard cat" }]);
        let signed = world.ask("/sign", &body).await;
        world
            .raw
            .ask(&["SET", &format!("sess:{id}"), r#"{"cookie":{},"name":"a"}"#]);
        let mut browser = world.browser(&Options::default());
        browser.cookie = Some(signed[0].as_str().unwrap().to_owned());
        assert_eq!(
            browser.read(Side::Express).await,
            json!({ "name": "a" }),
            "{id}"
        );
        assert_eq!(browser.read(Side::Axum).await, json!({}), "{id}");
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn outside_the_cookie_s_path_express_has_no_session_and_we_have_what_the_browser_sends() {
    let mut world = World::start();
    let options = Options {
        cookie: Options::default().cookie.path("/app"),
        express_cookie: json!({ "path": "/app" }),
        ..Options::default()
    };
    let deeds = json!([["set", ["pageViews"], 1]]);
    let mut browser = world.browser(&options);
    let answer = browser.send(Side::Express, "POST /do", &deeds).await;
    assert!(answer.status.is_server_error(), "there is no `req.session`");
    assert_eq!(world.raw.count(), 0);
    browser.act(Side::Axum, deeds).await;
    assert_eq!(world.raw.count(), 1);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_request_costs_redis_what_it_needs() {
    let mut world = World::start();
    let mut browser = world.browser(&Options::default());
    // Each script is sent in full once.
    for (key, value) in [
        ("pageViews", json!(1)),
        ("pageViews", json!(2)),
        ("user", json!("ann")),
    ] {
        let deeds = json!([["set", [key], value]]);
        browser.act(Side::Axum, deeds).await;
    }
    browser.act(Side::Axum, json!([["destroy"]])).await;
    let script = |calls| ("evalsha".to_owned(), calls);
    let only = |name: &str| (name.to_owned(), 1);
    world.redis.commands();
    for (deeds, expected) in [
        (json!([["set", ["pageViews"], 1]]), vec![only("set")]),
        (json!([]), vec![script(1)]),
        (json!([["set", ["pageViews"], 2]]), vec![script(2)]),
        (json!([["set", ["user"], "ann"]]), vec![script(2)]),
        (json!([["destroy"]]), vec![only("del"), script(1)]),
        (json!([]), vec![]),
    ] {
        browser.act(Side::Axum, deeds.clone()).await;
        let mut sent = world.redis.commands();
        // What a script does is counted beside it.
        let is_script = sent.iter().any(|(name, _)| name == "evalsha");
        let of_scripts = ["get", "pttl", "expire", "exists", "set", "del"];
        sent.retain(|(name, _)| {
            let listed = expected.iter().any(|(it, _)| it == name);
            listed || !is_script || !of_scripts.contains(&name.as_str())
        });
        assert_eq!(sent, expected, "{deeds}");
    }
    browser
        .act(Side::Axum, json!([["set", ["pageViews"], 1]]))
        .await;
    world.redis.commands();
    browser
        .send(Side::Axum, "GET /untouched", &Value::Null)
        .await;
    assert_eq!(world.redis.commands(), []);
    assert_eq!(
        world.entry(&browser).unwrap().ttl.map(|ttl| ttl <= DAY),
        Some(true)
    );
}
