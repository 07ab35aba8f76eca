//! Asks an app in process, as a server would: no socket, no bytes.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Response};
use axum::routing::RouterIntoService;
use tower::Service;

use crate::contenders::Contender;
use crate::kind::Kind;

/// An app, and a visitor who has a session there.
pub struct Visitor {
    app: RouterIntoService<Body>,
    cookie: HeaderValue,
}

impl Visitor {
    /// Someone who has been to a fresh app once.
    pub async fn of(contender: &Contender) -> Self {
        Self::at(&contender.app().await).await
    }

    pub async fn at(app: &Router) -> Self {
        let mut visitor = Self {
            app: app.clone().into_service(),
            cookie: HeaderValue::from_static("none=none"),
        };
        let answer = visitor.ask(Kind::FirstVisit).await;
        if let Some(cookie) = cookie_of(&answer) {
            visitor.cookie = cookie;
        }
        visitor
    }

    /// The header by which the session is found.
    #[must_use]
    pub fn cookie(&self) -> &HeaderValue {
        &self.cookie
    }

    async fn ask(&mut self, kind: Kind) -> Response<Body> {
        let request = kind.request(&self.cookie);
        let answer = self.app.call(request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        assert!(answer.status().is_success(), "{kind:?}: {answer:?}");
        answer
    }

    /// So many requests, one after another. Who signs in follows the cookie.
    pub async fn repeat(&mut self, kind: Kind, times: usize) {
        for _ in 0..times {
            let answer = black_box(self.ask(kind).await);
            if kind == Kind::Login
                && let Some(cookie) = cookie_of(&answer)
            {
                self.cookie = cookie;
            }
        }
    }
}

/// What a browser sends back: all that was set, as some set more than one.
pub(crate) fn cookie_of(answer: &Response<Body>) -> Option<HeaderValue> {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let pair = |set: &HeaderValue| {
        set.as_bytes()
            .split(|byte| *byte == b';')
            .next()
            .map(<[u8]>::to_vec)
    };
    let pairs: Vec<_> = set.filter_map(pair).collect();
    if pairs.is_empty() {
        return None;
    }
    Some(HeaderValue::from_bytes(&pairs.join(&b"; "[..])).expect("parts of headers are one"))
}
