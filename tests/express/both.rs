//! An Express app and an axum app on one Redis, and a browser that visits both.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use sessile::{
    CookieOptions, ExpressSecret, Hop, RedisStore, Rolling, SameSite, Secure, SessionLayer,
    TrustedProxy,
};

use crate::app;
use crate::raw::{Entry, Raw};
use crate::servers::node::Node;
use crate::servers::redis::Redis;
use crate::support::Answer;
use crate::support::visitor::ask;
use crate::wire;

/// A Redis and the Express app of the tests.
pub(crate) struct World {
    express: Node,
    pub(crate) redis: Redis,
    pub(crate) raw: Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Express,
    Axum,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Express, Self::Axum];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Express => Self::Axum,
            Self::Axum => Self::Express,
        }
    }
}

/// What both apps are told. The defaults are those that Express advises.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The first signs.
    pub(crate) secrets: Vec<String>,
    pub(crate) resave: bool,
    pub(crate) save_uninitialized: bool,
    pub(crate) rolling: bool,
    pub(crate) max_age: Option<Duration>,
    pub(crate) cookie: CookieOptions<'static>,
    /// `cookie` as Express takes it, without `maxAge`.
    pub(crate) express_cookie: Value,
    pub(crate) prefix: &'static str,
    /// What only Express has.
    pub(crate) unset: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            secrets: vec!["keyboard cat".to_owned()],
            resave: false,
            save_uninitialized: false,
            rolling: false,
            max_age: None,
            cookie: CookieOptions::new()
                .secure(Secure::Never)
                .same_site(SameSite::Unset),
            express_cookie: json!({}),
            prefix: "sess:",
            unset: "keep",
        }
    }
}

impl Options {
    fn express(&self) -> String {
        let mut cookie = self.express_cookie.clone();
        if let Some(max_age) = self.max_age {
            cookie["maxAge"] = u64::try_from(max_age.as_millis()).unwrap().into();
        }
        let options = json!({
            "secret": self.secrets,
            "resave": self.resave,
            "saveUninitialized": self.save_uninitialized,
            "rolling": self.rolling,
            "cookie": cookie,
            "proxy": true,
            "unset": self.unset,
            "store": { "prefix": self.prefix },
        });
        // A header is ASCII.
        let options = options.to_string();
        let escaped = options.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        });
        escaped.collect()
    }

    /// These routes, with their sessions where the Express app's are.
    pub(crate) fn axum(&self, redis: &Redis, routes: Router) -> Router {
        self.axum_on(&redis.url(), routes)
    }

    fn axum_on(&self, url: &str, routes: Router) -> Router {
        let store = RedisStore::open(url).unwrap().beside_express();
        let store = store.prefix(self.prefix);
        let secrets = self.secrets.iter();
        let secrets: Vec<_> = secrets
            .map(|secret| ExpressSecret::new(secret).unwrap())
            .collect();
        let (first, previous) = secrets.split_first().unwrap();
        let cookie = match self.max_age {
            Some(max_age) => self.cookie.max_age(max_age),
            None => self.cookie,
        };
        let rolling = if self.rolling {
            Rolling::EveryResponse
        } else {
            Rolling::OnChange
        };
        let sessions = SessionLayer::beside_express(store, first.clone())
            .previous_secrets(previous.to_vec())
            .cookie(cookie)
            .trusted_proxy(TrustedProxy::XForwardedProto(Hop::First))
            .resave(self.resave)
            .save_uninitialized(self.save_uninitialized)
            .rolling(rolling)
            .build();
        routes.layer(sessions.unwrap())
    }
}

impl World {
    pub(crate) fn start() -> Self {
        let redis = Redis::start();
        let express = Node::start("tests/express/app.cjs", &[("SESSION_STORE", &redis.url())]);
        let raw = Raw::connect(redis.port);
        Self {
            express,
            redis,
            raw,
        }
    }

    pub(crate) fn browser(&self, options: &Options) -> Browser {
        Browser::new(options, &self.redis.url(), self.express.address)
    }

    /// Asks the Express app for what has nothing to do with a session.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = ask_express(self.express.address, &format!("POST {path}"), &[], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The names that no field of an Express session can have.
    pub(crate) async fn names_of_express(&self) -> Vec<String> {
        let answer = ask_express(self.express.address, "GET /names", &[], &Value::Null).await;
        serde_json::from_str(&answer.body).unwrap()
    }

    /// What is stored of a browser's session.
    pub(crate) fn entry(&mut self, browser: &Browser) -> Option<Entry> {
        let id = browser.id()?;
        self.raw.entry(&format!("sess:{id}"))
    }
}

/// One cookie, and two apps to take it to.
#[derive(Clone)]
pub(crate) struct Browser {
    axum: Router,
    express: SocketAddr,
    options: String,
    /// What a proxy before both says that the browser speaks.
    pub(crate) scheme: &'static str,
    /// What the jar has for `connect.sid`, as it was set.
    pub(crate) cookie: Option<String>,
}

impl Browser {
    /// Of two apps on the Redis at `url`.
    pub(crate) fn new(options: &Options, url: &str, express: SocketAddr) -> Self {
        Self {
            axum: options.axum_on(url, app::routes()),
            express,
            options: options.express(),
            scheme: "http",
            cookie: None,
        }
    }

    /// The same cookie, where the apps are told something else.
    pub(crate) fn at(&self, other: &Self) -> Self {
        let cookie = self.cookie.clone();
        Self {
            cookie,
            ..other.clone()
        }
    }

    /// Does all of this to the session on one side, in one request that succeeds, and returns what that side
    /// then shows of the session.
    pub(crate) async fn act(&mut self, side: Side, deeds: Value) -> Value {
        let answer = self.send(side, "POST /do", &deeds).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{side:?} {deeds} {}",
            answer.body
        );
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Only reads.
    pub(crate) async fn read(&mut self, side: Side) -> Value {
        self.act(side, json!([])).await
    }

    /// Sends a request with the cookie, and keeps that of the answer.
    pub(crate) async fn send(&mut self, side: Side, start: &str, body: &Value) -> Answer {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map(|value| format!("connect.sid={value}"));
        let answer = match side {
            Side::Axum => {
                let (method, path) = start.split_once(' ').unwrap();
                let mut request = Request::builder().method(method).uri(path);
                request = request.header("host", "example.com");
                request = request.header("x-forwarded-proto", self.scheme);
                if let Some(cookie) = cookie {
                    request = request.header("cookie", cookie);
                }
                let request = request.body(body.to_string().into()).unwrap();
                ask(&self.axum, request).await
            }
            Side::Express => {
                let mut headers = vec![format!("x-options: {}", self.options)];
                headers.push(format!("x-forwarded-proto: {}", self.scheme));
                headers.extend(cookie.map(|cookie| format!("cookie: {cookie}")));
                ask_express(self.express, start, &headers, body).await
            }
        };
        for set in answer.set_cookies() {
            self.keep(&set);
        }
        answer
    }

    fn keep(&mut self, set: &str) {
        let (pair, attributes) = set.split_once(';').unwrap();
        let value = pair.strip_prefix("connect.sid=").unwrap();
        let expires = attributes
            .split("; ")
            .find_map(|it| it.strip_prefix("Expires="));
        let is_past = expires
            .is_some_and(|date| httpdate::parse_http_date(date).unwrap() <= SystemTime::now());
        self.cookie = (!is_past).then(|| value.to_owned());
    }

    /// The id in the cookie.
    pub(crate) fn id(&self) -> Option<&str> {
        let (id, _) = self
            .cookie
            .as_deref()?
            .strip_prefix("s%3A")?
            .split_once('.')?;
        Some(id)
    }
}

async fn ask_express(at: SocketAddr, start: &str, headers: &[String], body: &Value) -> Answer {
    let json = "content-type: application/json".to_owned();
    let headers: Vec<_> = headers.iter().chain([&json]).map(String::as_str).collect();
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let reply = wire::ask(at, start, &headers, &body).await;
    let mut kept = HeaderMap::new();
    for name in ["set-cookie", "location", "content-type"] {
        for value in reply.header(name) {
            let name = HeaderName::from_static(name);
            kept.append(name, HeaderValue::from_str(value).unwrap());
        }
    }
    Answer {
        status: StatusCode::from_u16(reply.status()).unwrap(),
        headers: kept,
        body: reply.body().to_owned(),
    }
}
