//! Both sides at work on one session at the same time: we merge what Express stores, Express overwrites what we
//! store, and what ended there stays ended here.

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sessile::{Session, merge};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::app;
use crate::both::{Browser, Options, Side, World};
use crate::support::{Answer, Visitor};
use crate::wire;

#[derive(Session)]
#[session(flatten, rename_all = "camelCase")]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// What somebody else does on the Express side while a handler of ours is at work.
#[derive(Clone)]
struct Meanwhile(Arc<Mutex<Browser>>, Value);

async fn slow(mut visits: Session<Visits>, Extension(other): Extension<Meanwhile>) {
    visits.page_views += 10;
    let Meanwhile(browser, deeds) = other;
    browser.lock().await.act(Side::Express, deeds).await;
}

/// A request to our side, in the midst of which Express does all of this.
async fn around(world: &World, browser: &Browser, deeds: Value) -> Answer {
    let other = Meanwhile(Arc::new(Mutex::new(browser.clone())), deeds);
    let routes = Router::new()
        .route("/slow", post(slow))
        .layer(Extension(other));
    let app = Options::default().axum(&world.redis, routes);
    let cookie = format!("connect.sid={}", browser.cookie.as_ref().unwrap());
    let request = Request::post("/slow").header("cookie", cookie);
    Visitor::new(&app).send(request, "").await
}

async fn begin(world: &World) -> Browser {
    let mut browser = world.browser(&Options::default());
    let deeds = json!([["set", ["pageViews"], 1]]);
    browser.act(Side::Express, deeds).await;
    browser
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_express_stores_while_we_work_is_merged() {
    let mut world = World::start();
    let browser = begin(&world).await;
    let deeds = json!([["set", ["pageViews"], 2], ["set", ["theirs"], "kept"]]);
    let answer = around(&world, &browser, deeds).await;
    assert_eq!(answer.status, StatusCode::OK);
    let fields = world.entry(&browser).unwrap().fields();
    let merged = json!({ "pageViews": 12, "theirs": "kept" });
    assert_eq!(Value::from(fields), merged);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_ends_in_express_while_we_work_stays_ended() {
    let mut world = World::start();
    let browser = begin(&world).await;
    for deeds in [json!([["destroy"]]), json!([["regenerate"]])] {
        let browser = begin(&world).await;
        let answer = around(&world, &browser, deeds.clone()).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{deeds}");
        assert_eq!(answer.set_cookies(), [""; 0], "{deeds}");
        assert!(world.entry(&browser).is_none(), "{deeds}");
    }
    assert!(world.entry(&browser).is_some(), "others go on");
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn express_overwrites_what_was_stored_here_while_it_worked() {
    let world = World::start();
    let address = wire::serve(Options::default().axum(&world.redis, app::routes())).await;
    let url = format!("http://{address}/do");
    let mut browser = begin(&world).await;
    let meanwhile = json!([["set", ["name"], "ann"]]);
    let deeds = json!([["fetch", url, meanwhile], ["set", ["pageViews"], 2]]);
    browser.act(Side::Express, deeds).await;
    let left = browser.read(Side::Axum).await;
    assert_eq!(left, json!({ "pageViews": 2 }), "no name");
    // Where it changes nothing it stores nothing, and all is well.
    let deeds = json!([["fetch", url, meanwhile]]);
    browser.act(Side::Express, deeds).await;
    let kept = json!({ "pageViews": 2, "name": "ann" });
    assert_eq!(browser.read(Side::Axum).await, kept);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn express_brings_back_what_was_ended_here_while_it_worked() {
    let mut world = World::start();
    let address = wire::serve(Options::default().axum(&world.redis, app::routes())).await;
    let url = format!("http://{address}/do");
    for ends in [json!([["destroy"]]), json!([["set", ["user"], "ann"]])] {
        let mut browser = begin(&world).await;
        let deeds = json!([["fetch", url, ends], ["set", ["pageViews"], 2]]);
        browser.act(Side::Express, deeds).await;
        let fields = world.entry(&browser).expect("it is back").fields();
        // As it was before, so that a sign-in here has not signed in whoever has the old id.
        assert_eq!(Value::from(fields), json!({ "pageViews": 2 }));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn two_hundred_requests_at_once_that_each_add_one_end_at_two_hundred_more() {
    let mut world = World::start();
    let browser = begin(&world).await;
    let add = get(async |mut visits: Session<Visits>| visits.page_views += 1);
    let app = Options::default().axum(&world.redis, Router::new().route("/", add));
    let mut visitor = Visitor::new(&app);
    visitor.plant("connect.sid", browser.cookie.as_ref().unwrap());
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let visitor = visitor.clone();
        requests.spawn(async move { visitor.peek("/").await.status });
    }
    assert_eq!(requests.join_all().await, [StatusCode::OK; 200]);
    let fields = world.entry(&browser).unwrap().fields();
    assert_eq!(Value::from(fields), json!({ "pageViews": 201 }));
}
