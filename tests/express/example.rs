//! The two halves of the example on one Redis.

use std::net::SocketAddr;

use crate::servers::node::Node;
use crate::servers::redis::Redis;
use crate::wire;

#[path = "../../examples/beside_express/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod beside_express;

const SECRET: &str = "keyboard cat";

/// A visitor of both halves.
#[derive(Default)]
struct Visitor {
    cookie: Option<String>,
}

impl Visitor {
    async fn get(&mut self, at: SocketAddr, path: &str) -> String {
        self.send(at, &format!("GET {path}"), "").await
    }

    async fn post(&mut self, at: SocketAddr, path: &str, form: &str) {
        self.send(at, &format!("POST {path}"), form).await;
    }

    async fn send(&mut self, at: SocketAddr, start: &str, form: &str) -> String {
        let form_type = "content-type: application/x-www-form-urlencoded";
        let cookie = self.cookie.as_ref().map(|pair| format!("cookie: {pair}"));
        let headers: Vec<_> = cookie
            .iter()
            .map(String::as_str)
            .chain([form_type])
            .collect();
        let reply = wire::ask(at, start, &headers, form).await;
        assert!(reply.status() < 400, "{start} {}", reply.text);
        if let Some(set) = reply.header("set-cookie").next() {
            let (pair, attributes) = set.split_once("; ").unwrap();
            let is_removal = attributes.contains("Max-Age=0");
            self.cookie = (!is_removal).then(|| pair.to_owned());
        }
        reply.body().to_owned()
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_visitor_goes_from_half_to_half_and_is_the_same() {
    let redis = Redis::start();
    let env = [
        ("SESSION_STORE", redis.url()),
        ("SESSION_SECRET", SECRET.to_owned()),
    ];
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let express = Node::start("examples/beside_express/app.js", &env);
    let sessions = beside_express::sessions(&redis.url(), SECRET).unwrap();
    let axum = beside_express::app(sessions);
    let axum = wire::serve(axum).await;
    for (here, there) in [(axum, express.address), (express.address, axum)] {
        let mut visitor = Visitor::default();
        let welcome = "Welcome to this page for the first time!";
        assert_eq!(visitor.get(here, "/").await, welcome);
        assert_eq!(
            visitor.get(there, "/").await,
            "You visited this page 2 times"
        );
        assert_eq!(visitor.get(here, "/me").await, "nobody");
        let anonymous = visitor.cookie.clone();
        visitor.post(here, "/login", "user=Ann+%26+co").await;
        assert_ne!(visitor.cookie, anonymous, "a new id");
        for at in [here, there] {
            assert_eq!(visitor.get(at, "/me").await, "Ann & co");
            let cookie = anonymous.clone();
            assert_eq!(Visitor { cookie }.get(at, "/me").await, "nobody");
        }
        assert_eq!(
            visitor.get(there, "/").await,
            "You visited this page 3 times"
        );
        assert_eq!(
            visitor.get(here, "/").await,
            "You visited this page 4 times"
        );
        let signed_in = visitor.cookie.clone();
        visitor.post(there, "/logout", "").await;
        for at in [here, there] {
            let cookie = signed_in.clone();
            assert_eq!(Visitor { cookie }.get(at, "/me").await, "nobody");
        }
        assert_eq!(visitor.get(here, "/").await, welcome);
    }
}
