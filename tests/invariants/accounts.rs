//! Visitors who sign in, and who sign out others: what the handlers of the tests below do.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sessile::{Session, SessionError, SessionHandle, SessionStore, Sessions, merge};

use super::world::{CookieChange, World, key_of, request};
use crate::support::Answer;
use crate::support::visitor::ask;

#[derive(Session)]
pub(super) struct Account {
    #[session(required, owner)]
    pub(super) user: u64,
    /// Which sign-in it was: a rotation keeps it.
    pub(super) sign_in: u64,
}

#[derive(Session)]
pub(super) struct Rights {
    #[session(privilege)]
    pub(super) level: u32,
}

#[derive(Session)]
pub(super) struct Cart {
    #[session(merge = merge::Sum)]
    pub(super) items: u64,
}

pub(super) fn routes() -> Router {
    Router::new()
        .route(
            "/visit",
            get(async |mut cart: Session<Cart>| cart.items += 1),
        )
        .route("/items", get(async |cart: Cart| cart.items.to_string()))
        .route(
            "/me",
            get(async |account: Account| account.sign_in.to_string()),
        )
        .route("/sign-in/{user}/{number}", get(sign_in))
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/promote",
            get(async |_: Account, mut rights: Session<Rights>| rights.level += 1),
        )
        .route(
            "/others",
            get(async |all: Sessions| all.revoke_others().await.map(drop)),
        )
        .route("/all/{user}", get(revoke_all))
        .route("/reset/{user}/{number}", get(reset))
}

pub(super) async fn sign_in(
    session: SessionHandle,
    Path((user, sign_in)): Path<(u64, u64)>,
) -> Result<(), SessionError> {
    session.insert(Account { user, sign_in })
}

async fn revoke_all(all: Sessions, Path(user): Path<u64>) -> Result<(), SessionError> {
    all.revoke_all::<Account>(&user).await.map(drop)
}

/// Ends what an owner has, and signs in anew: one session at a time, or a password that was reset.
async fn reset(
    all: Sessions,
    session: SessionHandle,
    path: Path<(u64, u64)>,
) -> Result<(), SessionError> {
    all.revoke_all::<Account>(&path.0.0).await?;
    sign_in(session, path).await
}

/// Asks, and follows the cookie of the answer.
pub(super) async fn visit(app: &Router, jar: &mut Option<String>, path: &str) -> Answer {
    let answer = ask(app, request(path, jar.as_deref())).await;
    match CookieChange::of(&answer) {
        CookieChange::Untouched => {}
        CookieChange::Set(token) => *jar = Some(token),
        CookieChange::Removed => *jar = None,
    }
    answer
}

/// The token of a visitor who has come this way.
pub(super) async fn visitor(app: &Router, path: &str) -> Option<String> {
    let mut jar = None;
    visit(app, &mut jar, path).await;
    assert!(jar.is_some(), "{path} begins a session");
    jar
}

/// Whether a token opens a session.
pub(super) async fn is_alive<S: SessionStore + Clone>(world: &World<S>, token: &str) -> bool {
    world.find(&key_of(token)).await.is_some()
}
