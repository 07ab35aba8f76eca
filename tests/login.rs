//! The example `login`, as its visitors see it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

#[path = "../examples/login.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod login;

use std::time::Duration;

use axum::Router;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, USER_AGENT};
use http::{Request, StatusCode};
use support::{Answer, Visitor};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const ANN: &str = "user=ann&password=correct+horse";
const BOB: &str = "user=bob&password=battery+staple";

/// A row of the list of devices.
#[derive(Debug)]
struct Row {
    user_agent: String,
    is_current: bool,
    /// What the button "Sign out there" sends.
    session: Option<String>,
}

#[tokio::test]
async fn whoever_signs_in_is_welcomed_once() {
    let app = login::app(login::sessions());
    let mut ann = Visitor::new(&app);
    let answer = ann.post("/login", ANN).await;
    assert_leads_to("/", &answer);
    let first = ann.get("/").await.body;
    assert!(first.contains("<b>ann</b>"), "{first}");
    assert_eq!(flash(&first), Some("Welcome, ann."));
    assert_eq!(flash(&ann.get("/").await.body), None);
    assert_eq!(ann.get("/api/whoami").await.body, "ann");
}

#[tokio::test]
async fn a_wrong_password_signs_nobody_in_and_is_told_once() {
    let app = login::app(login::sessions());
    for form in [
        "user=ann&password=wrong",
        "user=ann&password=battery+staple",
        "user=ann&password=",
    ] {
        let mut visitor = Visitor::new(&app);
        assert_leads_to("/login", &visitor.post("/login", form).await);
        let page = visitor.get("/login").await.body;
        assert_eq!(flash(&page), Some("There is no ann with this password."));
        assert_eq!(flash(&visitor.get("/login").await.body), None);
        assert_leads_to("/login", &visitor.get("/").await);
    }
}

#[tokio::test]
async fn what_visitors_type_is_escaped() {
    let app = login::app(login::sessions());
    let mut visitor = Visitor::new(&app);
    let hostile = "user=%3Cscript%3E%22%26'&password=x";
    visitor.post("/login", hostile).await;
    let page = visitor.get("/login").await.body;
    let shown = "There is no &#60;script&#62;&#34;&#38;&#39; with this password.";
    assert_eq!(flash(&page), Some(shown));

    let request = Request::post("/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(USER_AGENT, "</td><script>alert(1)</script>");
    visitor.send(request, ANN).await;
    let rows = rows(&visitor.get("/").await.body);
    let shown = "&#60;/td&#62;&#60;script&#62;alert(1)&#60;/script&#62;";
    assert_eq!(rows[0].user_agent, shown);
}

#[tokio::test]
async fn a_name_that_fills_the_store_is_refused() {
    let mut visitor = Visitor::new(&login::app(login::sessions()));
    let form = format!("user={}&password=x", "a".repeat(1024));
    let answer = visitor.post("/login", &form).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn a_cookie_outlives_the_browser_if_the_visitor_asks_for_it() {
    let app = login::app(login::sessions());
    let max_age = async |form: &str| {
        let cookie = Visitor::new(&app).post("/login", form).await.set_cookie();
        let (_, max_age) = cookie.split_once("; Max-Age=")?;
        max_age.parse::<u64>().ok()
    };
    assert_eq!(max_age(ANN).await, None);
    let remembered = max_age(&format!("{ANN}&remember_me=true")).await.unwrap();
    let fortnight = 14 * 24 * 60 * 60;
    // What is left of it, in whole seconds.
    assert!((fortnight - 1..=fortnight).contains(&remembered));
}

#[tokio::test]
async fn everyone_sees_their_own_devices_and_which_is_this() {
    let app = login::app(login::sessions());
    let mut phone = signed_in(&app, ANN, "phone").await;
    let mut laptop = signed_in(&app, ANN, "laptop").await;
    let mut bobs = signed_in(&app, BOB, "tablet").await;
    for (visitor, here, there) in [
        (&mut phone, "phone", "laptop"),
        (&mut laptop, "laptop", "phone"),
    ] {
        let rows = rows(&visitor.get("/").await.body);
        assert_eq!(rows.len(), 2, "{rows:?}");
        let (current, other): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.is_current);
        assert_eq!(current[0].user_agent, here);
        assert!(current[0].session.is_none(), "it has a button of its own");
        assert_eq!(other[0].user_agent, there);
        assert!(other[0].session.is_some());
    }
    let rows = rows(&bobs.get("/").await.body);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].user_agent, "tablet");
}

#[tokio::test]
async fn one_device_is_signed_out_from_another() {
    let app = login::app(login::sessions());
    let mut here = signed_in(&app, ANN, "here").await;
    let mut there = signed_in(&app, ANN, "there").await;
    let mut third = signed_in(&app, ANN, "third").await;
    let rows = rows(&here.get("/").await.body);
    let row = rows.iter().find(|row| row.user_agent == "there").unwrap();
    let form = format!("session={}", row.session.as_ref().unwrap());

    assert_leads_to("/", &here.post("/sign-out-there", &form).await);
    assert_eq!(flash(&here.get("/").await.body), Some("Signed out there."));
    assert_signed_out(&mut there).await;
    assert_eq!(third.get("/api/whoami").await.body, "ann");

    assert_leads_to("/", &here.post("/sign-out-there", &form).await);
    assert_eq!(
        flash(&here.get("/").await.body),
        Some("Nobody was signed in there any more.")
    );
}

#[tokio::test]
async fn nobody_signs_out_the_device_of_another() {
    let app = login::app(login::sessions());
    let mut ann = signed_in(&app, ANN, "hers").await;
    let mut bob = signed_in(&app, BOB, "his").await;
    let mut anns_other = signed_in(&app, ANN, "her other").await;
    let rows = rows(&ann.get("/").await.body);
    let session = rows.iter().find_map(|row| row.session.clone()).unwrap();
    let form = format!("session={session}");
    bob.post("/sign-out-there", &form).await;
    assert_eq!(
        flash(&bob.get("/").await.body),
        Some("Nobody was signed in there any more.")
    );
    let mut stranger = Visitor::new(&app);
    assert_leads_to("/login", &stranger.post("/sign-out-there", &form).await);
    assert_eq!(anns_other.get("/api/whoami").await.body, "ann");
}

#[tokio::test]
async fn a_device_that_signs_itself_out_from_afar_is_signed_out() {
    let app = login::app(login::sessions());
    let mut here = signed_in(&app, ANN, "here").await;
    let mut other = signed_in(&app, ANN, "other").await;
    let rows = rows(&other.get("/").await.body);
    let session = rows.iter().find_map(|row| row.session.clone()).unwrap();
    let answer = here
        .post("/sign-out-there", &format!("session={session}"))
        .await;
    assert_leads_to("/", &answer);
    assert_signed_out(&mut here).await;
}

#[tokio::test]
async fn signing_out_here_leaves_the_other_devices_alone() {
    let app = login::app(login::sessions());
    let mut here = signed_in(&app, ANN, "here").await;
    let mut there = signed_in(&app, ANN, "there").await;
    let answer = here.post("/sign-out", "").await;
    assert_leads_to("/login", &answer);
    assert!(answer.set_cookie().contains("Max-Age=0"));
    assert_signed_out(&mut here).await;
    assert_eq!(rows(&there.get("/").await.body).len(), 1);
}

#[tokio::test]
async fn signing_out_the_others_leaves_this_device_alone() {
    let app = login::app(login::sessions());
    let mut here = signed_in(&app, ANN, "here").await;
    let mut others = [
        signed_in(&app, ANN, "phone").await,
        signed_in(&app, ANN, "laptop").await,
    ];
    let mut bob = signed_in(&app, BOB, "his").await;
    assert_leads_to("/", &here.post("/sign-out-others", "").await);
    let page = here.get("/").await.body;
    assert_eq!(flash(&page), Some("Other devices signed out: 2."));
    assert_eq!(rows(&page).len(), 1);
    for other in &mut others {
        assert_signed_out(other).await;
    }
    assert_eq!(bob.get("/api/whoami").await.body, "bob");
}

#[tokio::test]
async fn signing_out_everywhere_leaves_no_device_of_this_account() {
    let app = login::app(login::sessions());
    let mut here = signed_in(&app, ANN, "here").await;
    let mut there = signed_in(&app, ANN, "there").await;
    let mut bob = signed_in(&app, BOB, "his").await;
    let answer = here.post("/sign-out-everywhere", "").await;
    assert_leads_to("/login", &answer);
    assert!(answer.set_cookie().contains("Max-Age=0"));
    assert_signed_out(&mut here).await;
    assert_signed_out(&mut there).await;
    assert_eq!(bob.get("/api/whoami").await.body, "bob");
    // A sign-in of the same millisecond counts as one that began before.
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_leads_to("/", &here.post("/login", ANN).await);
    assert_eq!(rows(&here.get("/").await.body).len(), 1);
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_login_page_and_a_program_is_told_401() {
    let app = login::app(login::sessions());
    let mut stranger = Visitor::new(&app);
    assert_signed_out(&mut stranger).await;
    for button in BUTTONS {
        let answer = stranger.post(button, "session=AAAAAAAAAAAAAAAA").await;
        assert_leads_to("/login", &answer);
    }
    let answer = stranger.get("/live").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_open_page_is_told_that_it_was_signed_out() {
    let app = login::app(login::sessions());
    let address = wire::serve(app.clone()).await;
    let mut here = signed_in(&app, ANN, "here").await;
    let there = signed_in(&app, ANN, "there").await;
    let mut request = format!("ws://{address}/live")
        .into_client_request()
        .unwrap();
    let cookies = there.cookies().unwrap().parse().unwrap();
    request.headers_mut().insert(COOKIE, cookies);
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut page, _) = client_async(request, stream).await.unwrap();
    let early = timeout(Duration::from_millis(100), page.next()).await;
    assert!(early.is_err(), "it is signed in: {early:?}");

    here.post("/sign-out-others", "").await;
    let word = page.next().await.unwrap().unwrap();
    assert_eq!(word.to_text().unwrap(), "signed out");
    assert!(page.next().await.unwrap().unwrap().is_close());
}

#[tokio::test]
async fn no_link_signs_anybody_out() {
    let app = login::app(login::sessions());
    let mut ann = signed_in(&app, ANN, "here").await;
    for button in BUTTONS {
        let answer = ann.get(button).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{button}");
    }
    assert_eq!(ann.get("/api/whoami").await.body, "ann");
}

const BUTTONS: [&str; 4] = [
    "/sign-out",
    "/sign-out-there",
    "/sign-out-others",
    "/sign-out-everywhere",
];

async fn signed_in(app: &Router, form: &'static str, user_agent: &str) -> Visitor {
    let mut visitor = Visitor::new(app);
    let request = Request::post("/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(USER_AGENT, user_agent);
    assert_leads_to("/", &visitor.send(request, form).await);
    visitor
}

fn assert_leads_to(path: &str, answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.headers[LOCATION], path);
}

async fn assert_signed_out(visitor: &mut Visitor) {
    assert_leads_to("/login", &visitor.get("/").await);
    let told = visitor.get("/api/whoami").await.status;
    assert_eq!(told, StatusCode::UNAUTHORIZED);
}

fn flash(page: &str) -> Option<&str> {
    between(page, r#"<p id="flash">"#, "</p>")
}

fn rows(page: &str) -> Vec<Row> {
    let rows = page.split("<tr>").filter(|row| row.contains("<td>"));
    rows.map(|row| Row {
        user_agent: between(row, "<td>", "</td>").unwrap().to_owned(),
        is_current: row.contains("this device"),
        session: between(row, r#"name="session" value=""#, "\"").map(str::to_owned),
    })
    .collect()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}
