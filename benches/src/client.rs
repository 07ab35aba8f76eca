//! Asks an app for a path in process, as any of its visitors.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::COOKIE;
use axum::http::{HeaderValue, Request, Response};
use axum::routing::RouterIntoService;
use tower::Service;

use crate::drive::cookie_of;

/// An app that anybody may ask.
#[derive(Clone)]
pub struct Client {
    app: RouterIntoService<Body>,
}

impl Client {
    #[must_use]
    pub fn of(app: &Router) -> Self {
        Self {
            app: app.clone().into_service(),
        }
    }

    /// The answer, which may be an error.
    pub async fn try_ask(&mut self, path: &str, cookie: Option<&HeaderValue>) -> Response<Body> {
        let request = Request::get(path);
        let request = match cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.app.call(request).await;
        answer.unwrap_or_else(|never| match never {})
    }

    /// The answer, which is a success.
    pub async fn ask(&mut self, path: &str, cookie: Option<&HeaderValue>) -> Response<Body> {
        let answer = self.try_ask(path, cookie).await;
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer
    }

    /// Begins a session, and answers with its cookie.
    pub async fn begin(&mut self, path: &str) -> HeaderValue {
        let answer = self.ask(path, None).await;
        cookie_of(&answer).expect("a first visit sets a cookie")
    }

    /// The number that an app answers with.
    pub async fn number(&mut self, path: &str, cookie: &HeaderValue) -> u64 {
        let body = self.ask(path, Some(cookie)).await.into_body();
        let text = to_bytes(body, 100).await.expect("a short body");
        let text = str::from_utf8(&text).expect("digits");
        text.parse().expect("a number")
    }
}
