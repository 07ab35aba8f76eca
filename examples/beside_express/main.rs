//! The axum half: counts page views, signs in and out, on sessions that the Express half is on as well.

use std::env;

use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use sessile::{
    CookieOptions, ExpressSecret, RedisStore, SameSite, Secure, Session, SessionError,
    SessionHandle, SessionLayer, merge,
};

/// What the Express half calls `req.session.pageViews`.
#[derive(Session)]
#[session(flatten, rename_all = "camelCase")]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// What the Express half calls `req.session.user`. It does `regenerate` by hand where it changes.
#[derive(Session)]
#[session(flatten)]
struct Account {
    #[session(required, privilege)]
    user: String,
}

async fn index(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    match visits.page_views {
        1 => "Welcome to this page for the first time!".to_owned(),
        n => format!("You visited this page {n} times"),
    }
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
}

async fn login(
    session: SessionHandle,
    Form(Credentials { user }): Form<Credentials>,
) -> Result<Redirect, SessionError> {
    session.insert(Account { user })?;
    Ok(Redirect::to("/me"))
}

async fn me(account: Option<Account>) -> String {
    account.map_or_else(|| "nobody".to_owned(), |account| account.user)
}

async fn logout(session: SessionHandle) -> Redirect {
    session.destroy();
    Redirect::to("/me")
}

/// The sessions that both halves are on.
///
/// # Errors
///
/// If the address is none of a Redis, or the secret is empty.
pub fn sessions(store: &str, secret: &str) -> Result<SessionLayer, Box<dyn std::error::Error>> {
    let store = RedisStore::open(store)?.beside_express();
    // The cookie has the attributes that Express gives it where an app says nothing.
    let cookie = CookieOptions::new()
        .secure(Secure::Never)
        .same_site(SameSite::Unset);
    let sessions = SessionLayer::beside_express(store, ExpressSecret::new(secret)?)
        .cookie(cookie)
        .build()?;
    Ok(sessions)
}

/// The application, for `main` and for tests.
pub fn app(sessions: SessionLayer) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/login", post(login))
        .route("/me", get(me))
        .route("/logout", post(logout))
        .layer(sessions)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let var = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let store = var("SESSION_STORE", "redis://127.0.0.1:6379");
    let sessions = sessions(&store, &env::var("SESSION_SECRET")?)?;
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", var("PORT", "3000")));
    let listener = listener.await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app(sessions.clone()))
        .with_graceful_shutdown(stop)
        .await?;
    // A sign-out goes on though its visitor has left.
    sessions.drained().await;
    Ok(())
}
