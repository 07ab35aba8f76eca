//! A visitor with a cookie jar, in the same process as the application.

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::request::Builder;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

const FORM: &str = "application/x-www-form-urlencoded";

/// Keeps the cookies of one browser, by name and nothing else.
#[derive(Clone)]
pub struct Visitor {
    app: Router,
    jar: Vec<(String, String)>,
}

/// What a visitor was answered.
#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Visitor {
    pub fn new(app: &Router) -> Self {
        super::trace::install();
        Self {
            app: app.clone(),
            jar: Vec::new(),
        }
    }

    /// Asks, with the cookies of the jar, and keeps those of the answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    /// Sends a form, with the cookies of the jar, and keeps those of the answer.
    pub async fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header(CONTENT_TYPE, FORM);
        self.send(request, form.to_owned()).await
    }

    /// Sends this request, with the cookies of the jar, and keeps those of the answer.
    pub async fn send(&mut self, request: Builder, body: impl Into<Body>) -> Answer {
        let answer = self.send_once(request, body).await;
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != name);
            if !attributes.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Asks, and keeps no cookie of the answer.
    pub async fn peek(&self, path: &str) -> Answer {
        self.send_once(Request::get(path), "").await
    }

    /// Sends this request, and keeps no cookie of the answer.
    pub async fn send_once(&self, mut request: Builder, body: impl Into<Body>) -> Answer {
        if let Some(cookies) = self.cookies() {
            request = request.header(COOKIE, cookies);
        }
        ask(&self.app, request.body(body.into()).unwrap()).await
    }

    /// The `Cookie` header that would be sent.
    pub fn cookies(&self) -> Option<String> {
        let pairs: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of one cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.jar.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Puts a cookie into the jar, as an attacker or another program would.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.jar.retain(|(known, _)| known != name);
        self.jar.push((name.to_owned(), value.to_owned()));
    }
}

/// Sends one request as it is.
pub async fn ask(app: &Router, request: Request<Body>) -> Answer {
    super::trace::install();
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

impl Answer {
    pub fn set_cookies(&self) -> Vec<String> {
        let values = self.headers.get_all(SET_COOKIE).iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    /// The one cookie that is set.
    pub fn set_cookie(&self) -> String {
        let cookies = self.set_cookies();
        assert_eq!(cookies.len(), 1, "one cookie is set: {cookies:?}");
        cookies[0].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
