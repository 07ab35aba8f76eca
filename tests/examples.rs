//! Every example, in process and as the program that a reader starts.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

#[path = "../examples/cart.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod cart;
#[path = "../examples/custom_store.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod custom_store;
#[path = "../examples/page_views.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod page_views;

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};
use support::{Answer, Example, Visitor};
use tokio::task::JoinSet;

const WELCOME: &str = "Welcome to this page for the first time!";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn page_views_are_counted_word_for_word() {
    for app in [page_views::app(), custom_store::app()] {
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.get("/").await.body, WELCOME);
        let second = visitor.get("/").await.body;
        assert_eq!(second, "You visited this page 2 times");
        let third = visitor.get("/").await.body;
        assert_eq!(third, "You visited this page 3 times");
    }
}

#[tokio::test]
async fn page_views_are_counted_for_each_visitor_alone() {
    for app in [page_views::app(), custom_store::app()] {
        let (mut first, mut second) = (Visitor::new(&app), Visitor::new(&app));
        first.get("/").await;
        first.get("/").await;
        assert_eq!(second.get("/").await.body, WELCOME);
        let third = first.get("/").await.body;
        assert_eq!(third, "You visited this page 3 times");
    }
}

#[tokio::test]
async fn whoever_changes_a_byte_of_the_cookie_is_welcomed() {
    let app = page_views::app();
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    let token = visitor.cookie("__Host-sid").unwrap().to_owned();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let mut forger = Visitor::new(&app);
        forger.plant("__Host-sid", str::from_utf8(&bytes).unwrap());
        assert_eq!(forger.get("/").await.body, WELCOME, "byte {at}");
    }
    let second = visitor.get("/").await.body;
    assert_eq!(second, "You visited this page 2 times");
}

#[tokio::test]
async fn the_cart_shows_what_was_put_in_and_its_total() {
    let app = cart::app();
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    press(&visitor, "/add", "Tea").await;
    press(&visitor, "/add", "Tea").await;
    press(&visitor, "/add", "Cocoa").await;
    press(&visitor, "/favourite", "Cocoa").await;
    let page = visitor.get("/").await.body;
    assert_eq!(quantities(&page), [2, 0, 1]);
    assert_eq!(favourites(&page), [false, false, true]);
    assert!(page.contains("<p>Total: € 9.95</p>"), "{page}");
    assert!(page.contains("<p>Pages seen: 2</p>"), "{page}");
}

#[tokio::test]
async fn the_cart_forgets_what_is_removed() {
    let app = cart::app();
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    for item in ["Tea", "Tea", "Coffee"] {
        press(&visitor, "/add", item).await;
    }
    press(&visitor, "/remove", "Tea").await;
    press(&visitor, "/favourite", "Coffee").await;
    press(&visitor, "/favourite", "Coffee").await;
    let page = visitor.get("/").await.body;
    assert_eq!(quantities(&page), [0, 1, 0]);
    assert_eq!(favourites(&page), [false; 3]);
    assert!(page.contains("<p>Total: € 4.20</p>"), "{page}");
}

#[tokio::test]
async fn the_cart_refuses_what_is_not_in_the_catalogue() {
    let app = cart::app();
    let visitor = Visitor::new(&app);
    let refused = send(&visitor, "/add", "<script>").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.set_cookies(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_cart_keeps_what_two_tabs_add_at_once() {
    let app = cart::app();
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    let slow_tab = async {
        press(&visitor, "/add-slowly", "Tea").await;
    };
    let quick_tab = async {
        // The slow one holds the empty cart by now.
        tokio::time::sleep(Duration::from_secs(1)).await;
        press(&visitor, "/add", "Tea").await;
        press(&visitor, "/add", "Coffee").await;
        press(&visitor, "/favourite", "Cocoa").await;
        let page = visitor.peek("/").await.body;
        assert_eq!(quantities(&page), [1, 1, 0], "the slow one is not done");
    };
    tokio::join!(slow_tab, quick_tab);
    let page = visitor.get("/").await.body;
    assert_eq!(quantities(&page), [2, 1, 0]);
    assert_eq!(favourites(&page), [false, false, true]);
    assert!(page.contains("<p>Total: € 11.20</p>"), "{page}");
    assert!(page.contains("<p>Pages seen: 3</p>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cart_keeps_what_forty_tabs_add_at_once() {
    let app = cart::app();
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    let mut tabs = JoinSet::new();
    for item in ["Tea", "Cocoa"].repeat(20) {
        let visitor = visitor.clone();
        tabs.spawn(async move {
            press(&visitor, "/add", item).await;
            visitor.peek("/").await;
        });
    }
    tabs.join_all().await;
    let page = visitor.get("/").await.body;
    assert_eq!(quantities(&page), [20, 0, 20]);
    assert!(page.contains("<p>Pages seen: 42</p>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cart_keeps_what_three_tabs_mark_at_once() {
    let app = cart::app();
    for _ in 0..50 {
        let mut visitor = Visitor::new(&app);
        visitor.get("/").await;
        let mut tabs = JoinSet::new();
        for item in ["Tea", "Coffee", "Cocoa"] {
            let visitor = visitor.clone();
            tabs.spawn(async move { press(&visitor, "/favourite", item).await });
        }
        tabs.join_all().await;
        assert_eq!(favourites(&visitor.get("/").await.body), [true; 3]);
    }
}

#[tokio::test]
async fn the_program_page_views_counts_over_tcp() {
    counts_over_tcp("page_views").await;
}

#[tokio::test]
async fn the_program_custom_store_counts_over_tcp() {
    counts_over_tcp("custom_store").await;
}

async fn counts_over_tcp(example: &str) {
    let program = Example::start(example, &[]);
    let welcome = wire::ask(program.address, "GET /", &[], "").await;
    assert_eq!(welcome.body(), WELCOME);
    let cookie = cookie(&welcome);
    for times in 2..=3 {
        let again = wire::ask(program.address, "GET /", &[&cookie], "").await;
        assert_eq!(again.body(), format!("You visited this page {times} times"));
    }
}

#[tokio::test]
async fn the_program_cart_adds_over_tcp() {
    let program = Example::start("cart", &[]);
    let empty = wire::ask(program.address, "GET /", &[], "").await;
    assert_eq!(quantities(empty.body()), [0, 0, 0]);
    let cookie = cookie(&empty);
    let headers = [cookie.as_str(), &format!("content-type: {FORM}")];
    let added = wire::ask(program.address, "POST /add", &headers, "item=Tea").await;
    assert_eq!(added.status(), 303);
    let page = wire::ask(program.address, "GET /", &headers, "").await;
    assert_eq!(quantities(page.body()), [1, 0, 0]);
}

#[tokio::test]
async fn the_program_login_signs_in_over_tcp() {
    let program = Example::start("login", &[]);
    let form = format!("content-type: {FORM}");
    let ann = "user=ann&password=correct+horse";
    let signed_in = wire::ask(program.address, "POST /login", &[&form], ann).await;
    assert_eq!(signed_in.status(), 303);
    let page = wire::ask(program.address, "GET /", &[&cookie(&signed_in)], "").await;
    assert!(page.body().contains("Welcome, ann."), "{}", page.body());
}

/// Presses a button of the cart's page, and is sent back to it.
async fn press(visitor: &Visitor, action: &str, item: &str) {
    let answer = send(visitor, action, item).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{action} {item}");
    assert_eq!(answer.headers[LOCATION], "/");
}

async fn send(visitor: &Visitor, action: &str, item: &str) -> Answer {
    let request = Request::post(action).header(CONTENT_TYPE, FORM);
    visitor.send_once(request, format!("item={item}")).await
}

/// The quantities of tea, coffee and cocoa.
fn quantities(page: &str) -> Vec<u64> {
    let cells = rows(page).map(|row| row.split("</td><td>").nth(2).unwrap());
    cells.map(|cell| cell.parse().unwrap()).collect()
}

/// Which of tea, coffee and cocoa have a full star.
fn favourites(page: &str) -> Vec<bool> {
    rows(page).map(|row| row.contains('★')).collect()
}

fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("<tr>"))
}

/// The `Cookie` header that a browser sends after this reply.
fn cookie(reply: &wire::Reply) -> String {
    let set = reply.header("set-cookie").next().unwrap();
    let (pair, _) = set.split_once(';').unwrap();
    format!("cookie: {pair}")
}
