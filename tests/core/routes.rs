//! An application with an account and a counter, and requests with any cookies.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::{Request, StatusCode};
use sessile::{Session, SessionError, SessionHandle, merge};

use crate::support::Answer;
use crate::support::visitor;

/// The cookie's default name.
pub(crate) const NAME: &str = "__Host-sid";

#[derive(Session)]
pub(crate) struct Visits {
    #[session(merge = merge::Sum)]
    pub(crate) count: u64,
}

#[derive(Session)]
pub(crate) struct Account {
    #[session(required, owner)]
    pub(crate) user: String,
}

#[derive(Session)]
pub(crate) struct Role {
    #[session(privilege)]
    pub(crate) level: u32,
}

/// Routes that take the session, and `/untouched`, which does not.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/untouched", get(async || "hello"))
        .route("/me", get(me))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route("/visit", get(visit))
        .route("/login/{user}", get(login))
        .route(
            "/login-500/{user}",
            get(async |session: SessionHandle, user: Path<String>| {
                login(session, user).await.unwrap();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/promote",
            get(async |mut role: Session<Role>| role.level += 1),
        )
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/clear",
            get(async |session: SessionHandle| session.clear()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
}

pub(crate) async fn me(account: Option<Account>) -> String {
    account.map_or_else(|| "nobody".to_owned(), |account| account.user)
}

pub(crate) async fn visit(mut visits: Session<Visits>) -> String {
    visits.count += 1;
    visits.count.to_string()
}

pub(crate) async fn login(
    session: SessionHandle,
    Path(user): Path<String>,
) -> Result<(), SessionError> {
    session.insert(Account { user })
}

/// Sends a request with these cookies of the default name, in this order.
pub(crate) async fn ask_with(app: &Router, path: &str, tokens: &[&str]) -> Answer {
    let pairs: Vec<_> = tokens
        .iter()
        .map(|token| format!("{NAME}={token}"))
        .collect();
    let mut request = Request::get(path);
    if !pairs.is_empty() {
        request = request.header("cookie", pairs.join("; "));
    }
    visitor::ask(app, request.body(Body::empty()).unwrap()).await
}

/// Returns the user that the token signs in, or `nobody`.
pub(crate) async fn user_of(app: &Router, token: &str) -> String {
    let answer = ask_with(app, "/me", &[token]).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

/// Returns the token that the answer sets under the default name.
pub(crate) fn token(answer: &Answer) -> String {
    let cookies = answer.set_cookies();
    let mut given = cookies.iter().filter_map(|cookie| {
        let value = cookie.strip_prefix(NAME)?.strip_prefix('=')?;
        value.split(';').next().filter(|value| !value.is_empty())
    });
    let token = given.next().map(str::to_owned);
    token.unwrap_or_else(|| panic!("no token: {} {cookies:?}", answer.status))
}

/// Begins a session for this user, and returns its token.
pub(crate) async fn signed_in(app: &Router, user: &str) -> String {
    token(&ask_with(app, &format!("/login/{user}"), &[]).await)
}
