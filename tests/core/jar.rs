//! A cookie jar that keeps scopes apart, for one host over https.

use axum::Router;
use axum::body::Body;
use http::Request;

use crate::support::{Answer, visitor};

/// The host of every request, in the domain `example.com`.
pub(crate) const HOST: &str = "shop.example.com";

#[derive(Clone, Default)]
pub(crate) struct Jar(Vec<Cookie>);

/// A cookie; two of one scope replace each other (RFC 6265bis, section 5.7).
#[derive(Clone, Debug, PartialEq)]
struct Cookie {
    scope: Scope,
    value: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) partitioned: bool,
}

impl Jar {
    /// Sends a request with the cookies that cover its path, and keeps those of the answer.
    pub(crate) async fn get(&mut self, app: &Router, path: &str) -> Answer {
        let mut request = Request::get(path).header("host", HOST);
        if let Some(cookies) = self.sent_to(path) {
            request = request.header("cookie", cookies);
        }
        let answer = visitor::ask(app, request.body(Body::empty()).unwrap()).await;
        for line in answer.set_cookies() {
            self.receive(&line);
        }
        answer
    }

    pub(crate) fn scopes(&self) -> Vec<Scope> {
        self.0.iter().map(|cookie| cookie.scope.clone()).collect()
    }

    /// Returns the value of the only cookie.
    pub(crate) fn value(&self) -> &str {
        assert_eq!(self.0.len(), 1, "{:?}", self.0);
        &self.0[0].value
    }

    /// Adds a cookie of the whole domain, as a sibling host can.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.receive(&format!("{name}={value}; Path=/; Domain=example.com"));
    }

    /// Returns the `Cookie` header: longer paths come first (RFC 6265bis, section 5.8.3).
    fn sent_to(&self, path: &str) -> Option<String> {
        let mut sent: Vec<_> = self.0.iter().filter(|it| it.scope.covers(path)).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.scope.path.len()));
        let pairs = sent
            .iter()
            .map(|Cookie { scope, value }| format!("{}={value}", scope.name));
        let pairs: Vec<_> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn receive(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut scope = Scope {
            name: name.to_owned(),
            domain: None,
            path: "/".to_owned(),
            partitioned: false,
        };
        let mut is_removal = false;
        for attribute in parts {
            match attribute.split_once('=').unwrap_or((attribute, "")) {
                ("Domain", domain) => scope.domain = Some(domain.to_owned()),
                ("Path", path) => path.clone_into(&mut scope.path),
                ("Partitioned", _) => scope.partitioned = true,
                ("Max-Age", age) => is_removal = age == "0",
                _ => {}
            }
        }
        self.0.retain(|cookie| cookie.scope != scope);
        if !is_removal {
            let value = value.to_owned();
            self.0.push(Cookie { scope, value });
        }
    }
}

impl Scope {
    fn covers(&self, path: &str) -> bool {
        let domain = self.domain.as_deref();
        let is_in_domain = domain.is_none_or(|domain| HOST.ends_with(domain));
        let rest = path.strip_prefix(self.path.as_str());
        let is_under = rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        });
        is_in_domain && is_under
    }
}
