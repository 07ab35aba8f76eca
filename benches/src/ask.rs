//! Asks an app in process once, and reads all that it answers.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::COOKIE;
use axum::http::{HeaderValue, Request, StatusCode};
use tower::ServiceExt;

use crate::drive::cookie_of;

/// What an app has answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// What a browser sends back.
    pub cookie: Option<HeaderValue>,
    pub text: String,
}

/// Asks for a path as somebody with this cookie, or with none.
pub async fn ask(app: &Router, path: &str, cookie: Option<&HeaderValue>) -> Answer {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let request = request.body(Body::empty()).expect("a request");
    let answer = app.clone().oneshot(request).await;
    let answer = answer.unwrap_or_else(|never| match never {});
    let status = answer.status();
    let cookie = cookie_of(&answer);
    let body = to_bytes(answer.into_body(), 1 << 20).await;
    let body = body.expect("a short body").to_vec();
    Answer {
        status,
        cookie,
        text: String::from_utf8(body).expect("text"),
    }
}

/// The counter of a session, as `/read` tells it.
pub async fn page_views(app: &Router, cookie: Option<&HeaderValue>) -> u64 {
    let answer = ask(app, "/read", cookie).await;
    assert!(answer.status.is_success(), "{answer:?}");
    answer.text.parse().expect("a number")
}
