//! What visitors ask for while a store fails.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle, SessionLayer, SessionStore, Sessions, merge};

use super::DEADLINE;
use crate::invariants::world::{CookieChange, request, secret};
use crate::support::Answer;
use crate::support::visitor::ask;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u64,
}

/// Within this, who shares connections with a fault that is over gets through.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Untouched,
    Read,
    Write,
    FirstVisit,
    SignIn,
    Logout,
    RevokeAll,
    List,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Untouched,
        Self::Read,
        Self::Write,
        Self::FirstVisit,
        Self::SignIn,
        Self::Logout,
        Self::RevokeAll,
        Self::List,
    ];

    /// Those that write once their handler is done.
    pub(super) const COMMITTING: [Self; 4] =
        [Self::Write, Self::FirstVisit, Self::SignIn, Self::Logout];

    pub(super) fn path(self, user: u64) -> String {
        match self {
            Self::Untouched => "/untouched".to_owned(),
            Self::Read => "/read".to_owned(),
            Self::Write | Self::FirstVisit => "/write".to_owned(),
            Self::SignIn => format!("/sign-in/{user}"),
            Self::Logout => "/logout".to_owned(),
            Self::RevokeAll => format!("/revoke-all/{user}"),
            Self::List => format!("/list/{user}"),
        }
    }

    pub(super) fn is_signed_in(self) -> bool {
        self != Self::SignIn
    }
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/untouched", get(async || "nothing"))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
        .route("/sign-in/{user}", get(sign_in))
        .route(
            "/me",
            get(async |account: Account| account.user.to_string()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route("/revoke-all/{user}", get(revoke_all))
        .route("/list/{user}", get(list))
}

async fn sign_in(session: SessionHandle, Path(user): Path<u64>) -> Result<(), SessionError> {
    session.insert(Account { user })
}

async fn revoke_all(all: Sessions, Path(user): Path<u64>) -> Result<(), SessionError> {
    all.revoke_all::<Account>(&user).await.map(drop)
}

async fn list(all: Sessions, Path(user): Path<u64>) -> Result<String, SessionError> {
    Ok(all.list::<Account>(&user).await?.len().to_string())
}

/// The routes over one store, as a server has them.
pub(super) fn app(store: impl SessionStore) -> Router {
    routes().layer(layer(store))
}

/// The same, with a handler's end at which something happens.
pub(super) fn app_with_end(
    store: impl SessionStore,
    at_end: impl Fn() + Clone + Send + Sync + 'static,
) -> Router {
    let ended = map_response(move |response: Response| {
        at_end();
        async { response }
    });
    routes().layer(ended).layer(layer(store))
}

fn layer(store: impl SessionStore) -> SessionLayer {
    let sessions = SessionLayer::builder(store, secret()).store_timeout(DEADLINE);
    sessions.build().unwrap()
}

/// A visitor's token: of one who has written once, and may have signed in.
///
/// Where the unhindered store shares connections with a fault, it is another visitor until one gets
/// through.
pub(super) async fn begin(app: &Router, user: Option<u64>) -> String {
    let begun = Instant::now();
    loop {
        if let Some(token) = try_to_begin(app, user).await {
            return token;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody gets through");
    }
}

async fn try_to_begin(app: &Router, user: Option<u64>) -> Option<String> {
    let mut token = None;
    let sign_in = user.map(|user| format!("/sign-in/{user}"));
    for path in sign_in.iter().map(String::as_str).chain(["/write"]) {
        let answer = ask(app, request(path, token.as_deref())).await;
        if !answer.status.is_success() {
            return None;
        }
        if let CookieChange::Set(new) = CookieChange::of(&answer) {
            token = Some(new);
        }
    }
    token
}

/// What is found once the unhindered store gets through.
pub(super) async fn look(app: &Router, path: &str, token: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask(app, request(path, Some(token))).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody gets through");
    }
}
