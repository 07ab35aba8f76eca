//! What a handler that needs somebody answers instead, to the letter, as `curl` shows it: 401, a
//! redirect, or 503.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sessile::{
    Secret, Session, SessionError, SessionHandle, SessionLayer, SessionRejection, merge,
};
use support::{Probe, TestClock};

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: String,
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// A page for everybody, one for members, and what programs ask: the same to a member.
const PATHS: [&str; 3] = ["/home", "/page", "/api"];

/// What they answer somebody who has not signed in.
const TO_NOBODY: [&str; 3] = [
    "\
HTTP/1.1 200 OK
content-type: text/plain; charset=utf-8
vary: Cookie
content-length: 14

you are nobody",
    "\
HTTP/1.1 303 See Other
location: /login
vary: Cookie
content-length: 0
",
    "\
HTTP/1.1 401 Unauthorized
content-type: text/plain; charset=utf-8
vary: Cookie
content-length: 51

this needs something that the session does not hold",
];

const TO_ANN: &str = "\
HTTP/1.1 200 OK
content-type: text/plain; charset=utf-8
vary: Cookie
content-length: 11

you are ann";

const OUTAGE: &str = "\
HTTP/1.1 503 Service Unavailable
content-type: text/plain; charset=utf-8
vary: Cookie
content-length: 32

the session store is unavailable";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/all installs and runs it"]
async fn no_cookie_is_nobody() {
    let site = Site::start().await;
    assert_eq!(PATHS.map(|path| site.curl(path, "")), TO_NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/all installs and runs it"]
async fn the_session_of_a_stranger_is_nobody() {
    let (site, another) = (Site::start().await, Site::start().await);
    let signed_in_nowhere = site.cookie_of("/visit");
    let signed_in_elsewhere = another.cookie_of("/login");
    for cookie in [signed_in_nowhere, signed_in_elsewhere] {
        assert_eq!(PATHS.map(|path| site.curl(path, &cookie)), TO_NOBODY);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/all installs and runs it"]
async fn an_expired_session_is_nobody() {
    let site = Site::start().await;
    let cookie = site.cookie_of("/login");
    assert_eq!(PATHS.map(|path| site.curl(path, &cookie)), [TO_ANN; 3]);
    site.clock.advance(Duration::from_hours(24));
    assert_eq!(PATHS.map(|path| site.curl(path, &cookie)), TO_NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/all installs and runs it"]
async fn a_dead_store_signs_nobody_out() {
    let site = Site::start().await;
    let cookie = site.cookie_of("/login");
    site.store.fail(&["load"]);
    assert_eq!(PATHS.map(|path| site.curl(path, &cookie)), [OUTAGE; 3]);
    assert_eq!(PATHS.map(|path| site.curl(path, "")), TO_NOBODY);
    site.store.fail(&[]);
    assert_eq!(PATHS.map(|path| site.curl(path, &cookie)), [TO_ANN; 3]);
}

/// A small application on a port of its own.
struct Site {
    address: SocketAddr,
    store: Probe,
    clock: TestClock,
}

impl Site {
    async fn start() -> Self {
        let (store, clock) = (Probe::new(), TestClock::new());
        let sessions = SessionLayer::builder(store.clone(), Secret::generate())
            .clock(clock.reader())
            .build()
            .unwrap();
        let app = Router::new()
            .route("/home", get(home))
            .route("/page", get(page))
            .route("/api", get(api))
            .route("/visit", get(visit))
            .route("/login", get(login))
            .layer(sessions);
        let address = wire::serve(app).await;
        Self {
            address,
            store,
            clock,
        }
    }

    /// What `curl` prints, but for the date.
    fn curl(&self, path: &str, cookie: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        let mut curl = Command::new("curl");
        curl.args(["-si", &url]);
        if !cookie.is_empty() {
            curl.args(["-b", cookie]);
        }
        let output = curl.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("date: "));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The cookie that this page sets.
    fn cookie_of(&self, path: &str) -> String {
        let answer = self.curl(path, "");
        let (_, cookie) = answer.split_once("set-cookie: ").unwrap();
        cookie.split_once(';').unwrap().0.to_owned()
    }
}

async fn home(account: Option<Account>) -> String {
    let user = account.map(|account| account.user);
    format!("you are {}", user.as_deref().unwrap_or("nobody"))
}

async fn page(account: Result<Session<Account>, SessionRejection>) -> Response {
    match account {
        Ok(account) => format!("you are {}", account.user).into_response(),
        Err(SessionRejection::Absent) => Redirect::to("/login").into_response(),
        Err(outage) => outage.into_response(),
    }
}

async fn api(account: Account) -> String {
    format!("you are {}", account.user)
}

async fn visit(mut visits: Session<Visits>) {
    visits.page_views += 1;
}

async fn login(session: SessionHandle) -> Result<(), SessionError> {
    session.insert(Account {
        user: "ann".to_owned(),
    })
}
