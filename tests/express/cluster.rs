//! Both sides on a cluster, where an old id and a new one must share a slot.

use http::StatusCode;
use serde_json::json;

use crate::both::{Browser, Options, Side};
use crate::servers::node::Node;
use crate::servers::redis::Cluster;
use crate::support::Log;

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_prefix_with_a_hash_tag_keeps_ids_together_that_follow_each_other() {
    let cluster = Cluster::start();
    let url = cluster.url();
    let express = Node::start("tests/express/app.cjs", &[("SESSION_STORE", &url)]);
    let sign_in = json!([["set", ["user"], "ann"]]);
    for (prefix, may_sign_in) in [("{shop}:", true), ("sess:", false)] {
        let options = Options {
            prefix,
            ..Options::default()
        };
        for side in Side::BOTH {
            let mut browser = Browser::new(&options, &url, express.address);
            browser.act(side, json!([["set", ["pageViews"], 1]])).await;
            browser
                .act(side.other(), json!([["set", ["pageViews"], 2]]))
                .await;
            let anonymous = browser.clone();
            let (log, _guard) = Log::listen();
            let answer = browser.send(Side::Axum, "POST /do", &sign_in).await;
            if may_sign_in {
                assert_eq!(answer.status, StatusCode::OK);
                let signed_in = json!({ "pageViews": 2, "user": "ann" });
                assert_eq!(browser.read(Side::Express).await, signed_in);
                assert_eq!(anonymous.clone().read(side).await, json!({}));
            } else {
                assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
                let said = log.events().concat();
                assert!(said.contains("a prefix with a hash tag"), "{said}");
                let kept = json!({ "pageViews": 2 });
                assert_eq!(browser.read(side).await, kept);
            }
        }
    }
}
