//! A request with several genuine tokens of one name: the one that is alive is the session.

use std::time::Duration;

use axum::Router;
use http::StatusCode;

use crate::routes::{NAME, ask_with, routes, signed_in, token, user_of};
use crate::support::Stage;

fn stage() -> Stage {
    Stage::new(routes(), |builder| builder)
}

/// Returns a genuine token of a session that has been destroyed.
async fn signed_out(app: &Router) -> String {
    let token = signed_in(app, "eve").await;
    ask_with(app, "/logout", &[&token]).await;
    token
}

/// Returns a genuine token of a session that was rotated, and then destroyed.
async fn rotated_away(app: &Router) -> String {
    let old = signed_in(app, "eve").await;
    let new = token(&ask_with(app, "/renew", &[&old]).await);
    ask_with(app, "/logout", &[&new]).await;
    old
}

fn loads(calls: &[&str]) -> usize {
    calls.iter().filter(|call| call.starts_with("load")).count()
}

#[tokio::test]
async fn a_dead_token_does_not_count_beside_a_live_one() {
    let Stage { app, clock, .. } = stage();
    let expired = signed_in(&app, "eve").await;
    clock.advance(Duration::from_hours(25));
    let dead = [expired, signed_out(&app).await, rotated_away(&app).await];
    let live = signed_in(&app, "ann").await;
    for dead in &dead {
        for tokens in [[dead.as_str(), &live], [&live, dead.as_str()]] {
            assert_eq!(ask_with(&app, "/me", &tokens).await.body, "ann");
        }
    }
    for place in 0..=dead.len() {
        let mut tokens: Vec<_> = dead.iter().map(String::as_str).collect();
        tokens.insert(place, &live);
        assert_eq!(ask_with(&app, "/me", &tokens).await.body, "ann", "{place}");
    }
}

#[tokio::test]
async fn a_sign_in_works_though_a_dead_token_comes_along() {
    let Stage { app, .. } = stage();
    let dead = signed_out(&app).await;
    let first = token(&ask_with(&app, "/login/ann", &[&dead]).await);
    for is_first in [true, false] {
        let with = |own: &str| {
            let mut tokens = [dead.clone(), own.to_owned()];
            if is_first {
                tokens.reverse();
            }
            tokens
        };
        let [a, b] = with(&first);
        assert_eq!(ask_with(&app, "/me", &[&a, &b]).await.body, "ann");
        let other = signed_in(&app, "ann").await;
        let [a, b] = with(&other);
        let again = token(&ask_with(&app, "/login/bob", &[&a, &b]).await);
        assert_eq!(user_of(&app, &other).await, "nobody", "its id has changed");
        let [a, b] = with(&again);
        assert_eq!(ask_with(&app, "/me", &[&a, &b]).await.body, "bob");
        let answer = ask_with(&app, "/logout", &[&a, &b]).await;
        assert!(answer.set_cookie().starts_with(&format!("{NAME}=; ")));
        assert_eq!(user_of(&app, &again).await, "nobody");
    }
}

#[tokio::test]
async fn a_planted_dead_token_leaves_no_session_behind_at_each_sign_in() {
    let Stage { app, store, .. } = stage();
    let planted = signed_out(&app).await;
    let mut own = token(&ask_with(&app, "/login/ann", &[&planted]).await);
    for _ in 0..5 {
        own = token(&ask_with(&app, "/login/ann", &[&planted, &own]).await);
    }
    assert_eq!(user_of(&app, &own).await, "ann");
    assert_eq!(store.memory().len(), 1);
}

#[tokio::test]
async fn two_live_tokens_are_no_session_and_a_sign_in_ends_both() {
    let Stage { app, .. } = stage();
    for is_turned in [false, true] {
        let mut tokens = [signed_in(&app, "ann").await, signed_in(&app, "bob").await];
        if is_turned {
            tokens.reverse();
        }
        let [first, second] = tokens.each_ref().map(String::as_str);
        for path in ["/me", "/read", "/untouched"] {
            let answer = ask_with(&app, path, &[first, second]).await;
            assert_eq!(answer.set_cookies(), [""; 0], "{path}");
            assert!(matches!(answer.body.as_str(), "nobody" | "0" | "hello"));
        }
        assert_ne!(user_of(&app, first).await, "nobody");
        assert_ne!(user_of(&app, second).await, "nobody");
        let answer = ask_with(&app, "/login/eve", &[first, second]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let new = token(&answer);
        assert_eq!(user_of(&app, first).await, "nobody");
        assert_eq!(user_of(&app, second).await, "nobody");
        // The new cookie replaces one of the two; the browser still sends the other.
        for tokens in [[first, &new], [&new, second]] {
            assert_eq!(ask_with(&app, "/me", &tokens).await.body, "eve");
        }
    }
}

#[tokio::test]
async fn any_change_of_a_privilege_ends_both_live_sessions() {
    let Stage { app, store, .. } = stage();
    let (first, second) = (signed_in(&app, "ann").await, signed_in(&app, "bob").await);
    let new = token(&ask_with(&app, "/promote", &[&first, &second]).await);
    assert_eq!(user_of(&app, &first).await, "nobody");
    assert_eq!(user_of(&app, &second).await, "nobody");
    assert_eq!(user_of(&app, &new).await, "nobody", "it begins anew");
    assert_eq!(store.memory().len(), 1);
}

#[tokio::test]
async fn a_logout_ends_all_live_sessions_that_are_presented() {
    for count in 2..=4 {
        let Stage { app, store, .. } = stage();
        let mut tokens = Vec::new();
        for _ in 0..count {
            tokens.push(signed_in(&app, "ann").await);
        }
        let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
        let answer = ask_with(&app, "/logout", &tokens).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.set_cookie().starts_with(&format!("{NAME}=; ")));
        for token in tokens {
            assert_eq!(user_of(&app, token).await, "nobody", "{count} tokens");
        }
        assert_eq!(store.memory().len(), 0);
    }
}

#[tokio::test]
async fn a_logout_that_cannot_end_both_is_503() {
    let Stage { app, store, .. } = stage();
    let (first, second) = (signed_in(&app, "ann").await, signed_in(&app, "bob").await);
    store.fail(&["remove"]);
    let answer = ask_with(&app, "/logout", &[&first, &second]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn a_sign_in_that_answers_500_ends_neither_live_session() {
    let Stage { app, .. } = stage();
    let (first, second) = (signed_in(&app, "ann").await, signed_in(&app, "bob").await);
    let answer = ask_with(&app, "/login-500/eve", &[&first, &second]).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(user_of(&app, &first).await, "ann");
    assert_eq!(user_of(&app, &second).await, "bob");
}

#[tokio::test]
async fn a_store_that_fails_over_two_tokens_is_503() {
    let Stage { app, store, .. } = stage();
    let (dead, live) = (signed_out(&app).await, signed_in(&app, "ann").await);
    store.fail(&["load"]);
    for path in ["/me", "/visit", "/login/bob", "/logout"] {
        let answer = ask_with(&app, path, &[&dead, &live]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    store.fail(&[]);
    assert_eq!(user_of(&app, &live).await, "ann");
}

#[tokio::test]
async fn one_token_costs_one_load() {
    let Stage { app, store, .. } = stage();
    let token = signed_in(&app, "ann").await;
    for tokens in [vec![token.as_str()], vec![token.as_str(); 3]] {
        store.calls();
        ask_with(&app, "/me", &tokens).await;
        assert_eq!(store.calls(), ["load"]);
    }
    ask_with(&app, "/untouched", &[&token]).await;
    assert_eq!(store.calls(), [""; 0]);
}

#[tokio::test]
async fn the_store_is_asked_for_each_token_but_for_no_more_than_four() {
    let Stage { app, store, .. } = stage();
    let mut tokens = Vec::new();
    for _ in 0..6 {
        tokens.push(signed_out(&app).await);
    }
    let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
    for (count, expected) in [(1, 1), (2, 2), (4, 4), (6, 4)] {
        store.calls();
        ask_with(&app, "/me", &tokens[..count]).await;
        assert_eq!(loads(&store.calls()), expected, "{count} tokens");
    }
}
