//! A secret is replaced on one side first, and a logout on either side is one on both.

use serde_json::json;

use crate::both::{Browser, Options, Side, World};

const OLD: &str = "keyboard cat";
const NEW: &str = "kéyboard dog";

fn told(world: &World, secrets: &[&str]) -> Browser {
    world.browser(&Options {
        secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
        ..Options::default()
    })
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_secret_is_replaced_on_either_side_first_and_nobody_is_logged_out() {
    let mut world = World::start();
    let old = told(&world, &[OLD]);
    let also_new = told(&world, &[OLD, NEW]);
    let new = told(&world, &[NEW, OLD]);
    let done = told(&world, &[NEW]);
    for first in Side::BOTH {
        let second = first.other();
        let mut visitor = old.clone();
        visitor.act(first, json!([["set", ["pageViews"], 1]])).await;
        let signed_by_old = visitor.cookie.clone();

        // Both learn to verify the new one before anybody signs with it.
        for side in [first, second] {
            let mut visitor = visitor.at(&also_new);
            assert_eq!(visitor.read(side).await, json!({ "pageViews": 1 }));
            assert_eq!(visitor.cookie, signed_by_old, "{side:?}");
        }
        // Then one of them signs with it.
        let mut visitor = visitor.at(&new);
        visitor.act(first, json!([["set", ["pageViews"], 2]])).await;
        visitor
            .act(first, json!([["regenerate"], ["set", ["pageViews"], 3]]))
            .await;
        assert_ne!(visitor.cookie, signed_by_old, "{first:?}");
        let mut visitor = visitor.at(&also_new);
        assert_eq!(visitor.read(second).await, json!({ "pageViews": 3 }));
        // Then the other one does, too. Ours signs anew what the old one has signed.
        let mut visitor = visitor.at(&new);
        for side in Side::BOTH {
            assert_eq!(visitor.read(side).await, json!({ "pageViews": 3 }));
        }
        // Then nobody verifies the old one any more.
        for side in Side::BOTH {
            let mut visitor = visitor.at(&done);
            assert_eq!(visitor.read(side).await, json!({ "pageViews": 3 }));
        }
        let mut late = old.clone();
        late.cookie = signed_by_old;
        for side in Side::BOTH {
            assert_eq!(late.at(&done).read(side).await, json!({}), "{side:?}");
        }
    }
    assert_eq!(world.raw.count(), 2);
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn here_a_cookie_of_the_old_secret_is_signed_anew_without_a_change() {
    let world = World::start();
    let mut visitor = told(&world, &[OLD]);
    visitor
        .act(Side::Express, json!([["set", ["pageViews"], 1]]))
        .await;
    let signed_by_old = visitor.cookie.clone();
    let mut visitor = visitor.at(&told(&world, &[NEW, OLD]));
    visitor.read(Side::Express).await;
    assert_eq!(visitor.cookie, signed_by_old, "Express leaves it");
    let id = visitor.id().unwrap().to_owned();
    visitor.read(Side::Axum).await;
    assert_ne!(visitor.cookie, signed_by_old);
    assert_eq!(visitor.id(), Some(id.as_str()));
    let mut visitor = visitor.at(&told(&world, &[NEW]));
    for side in Side::BOTH {
        assert_eq!(visitor.read(side).await, json!({ "pageViews": 1 }));
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn a_logout_on_either_side_is_one_on_both() {
    let mut world = World::start();
    for side in Side::BOTH {
        let mut visitor = told(&world, &[OLD]);
        visitor
            .act(side.other(), json!([["set", ["user"], "ann"]]))
            .await;
        assert_eq!(visitor.read(side).await, json!({ "user": "ann" }));
        let signed_in = visitor.clone();
        visitor.act(side, json!([["destroy"]])).await;
        assert_eq!(world.raw.count(), 0);
        for side in Side::BOTH {
            assert_eq!(signed_in.clone().read(side).await, json!({}), "{side:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn the_id_from_before_a_sign_in_is_dead_on_both_sides() {
    let mut world = World::start();
    for side in Side::BOTH {
        let mut visitor = told(&world, &[OLD]);
        visitor
            .act(side.other(), json!([["set", ["pageViews"], 1]]))
            .await;
        let planted = visitor.clone();
        let deeds = match side {
            Side::Express => json!([["regenerate"], ["set", ["user"], "ann"]]),
            Side::Axum => json!([["set", ["user"], "ann"]]),
        };
        visitor.act(side, deeds).await;
        assert_ne!(visitor.id(), planted.id());
        for side in Side::BOTH {
            assert_eq!(planted.clone().read(side).await, json!({}), "{side:?}");
            assert_eq!(visitor.read(side).await["user"], "ann", "{side:?}");
        }
    }
    assert_eq!(world.raw.count(), 2);
}
