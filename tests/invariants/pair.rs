//! A session of two halves that always change together, so that half a change is seen.

use axum::Router;
use axum::routing::get;
use sessile::{Session, SessionError, SessionHandle, SessionStore, merge};

use super::world::{CookieChange, World, field, request};
use crate::support::visitor::ask;

/// Both sides always change together.
#[derive(Session, Default)]
pub(super) struct Pair {
    #[session(merge = merge::Sum)]
    pub(super) left: u64,
    #[session(merge = merge::Sum)]
    pub(super) right: u64,
}

pub(super) fn add(pair: &mut Pair) {
    pair.left += 1;
    pair.right += 1;
}

async fn write(mut pair: Session<Pair>) {
    add(&mut pair);
}

async fn save_and_write(mut pair: Session<Pair>) -> Result<(), SessionError> {
    add(&mut pair);
    Session::save(&mut pair).await?;
    add(&mut pair);
    Ok(())
}

async fn update(mut pair: Session<Pair>) -> Result<(), SessionError> {
    Session::update(&mut pair, add).await
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/write", get(write))
        .route("/save-and-write", get(save_and_write))
        .route("/update", get(update))
        .route("/read", get(async |pair: Pair| pair.left.to_string()))
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/clear",
            get(async |session: SessionHandle| session.clear()),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
}

/// What the sessions hold whose ids were drawn since; it is never a mixture.
pub(super) async fn values<S: SessionStore + Clone>(world: &World<S>, since: usize) -> Vec<u64> {
    let mut values = Vec::new();
    for (_, stored) in world.stored_since(since).await {
        let side = |key| field::<u64>(&stored.record, "pair", key);
        assert_eq!(side("left"), side("right"), "half of a change is stored");
        values.push(side("left"));
    }
    values
}

/// A visitor's new session, which holds 1: how many ids were drawn before, and its token.
pub(super) async fn begin<S: SessionStore + Clone>(
    world: &World<S>,
    app: &Router,
) -> (usize, String) {
    let since = world.drawn();
    let answer = ask(app, request("/write", None)).await;
    let CookieChange::Set(token) = CookieChange::of(&answer) else {
        panic!("a first write sets a cookie");
    };
    (since, token)
}
