//! Login and logout: accounts, a list of devices, and pages that learn when they are signed out.
//!
//! Open it in two browsers, sign in to both as `ann` with `correct horse`, and let one of them sign
//! the other out.

use std::time::Duration;

use askama::Template;
use axum::extract::DefaultBodyLimit;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::response::{Html, IntoResponse, Redirect, Response, Result};
use axum::routing::{get, post};
use axum::{Form, Router};
use httpdate::HttpDate;
use serde::Deserialize;
use sessile::{
    MemoryStore, OwnedSession, PublicId, Secret, Session, SessionHandle, SessionLayer,
    SessionRejection, Sessions,
};

/// Who may sign in, and with what. Here stands your own check of a password against its hash.
const USERS: [(&str, &str); 2] = [("ann", "correct horse"), ("bob", "battery staple")];

/// How long a device that is not used is remembered.
const FORTNIGHT: Duration = Duration::from_hours(24 * 14);

/// Who has signed in. To put one into a session or to take it out gives the session a new id.
#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: String,
}

/// Where the session lives, for the list of devices.
#[derive(Session)]
struct Device {
    user_agent: String,
}

/// What the next page says, once.
#[derive(Session)]
struct Flash {
    message: Option<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in</title>
<h1>Sign in</h1>
{% if let Some(message) = flash %}<p id="flash">{{ message }}</p>{% endif %}
<form method="post">
  <p><label>Name <input name="user" autocomplete="username" required></label></p>
  <p><label>Password
    <input name="password" type="password" autocomplete="current-password" required></label></p>
  <p><label><input name="remember_me" type="checkbox" value="true"> Remember me</label></p>
  <p><button>Sign in</button></p>
</form>
"#
)]
struct LoginPage {
    flash: Option<String>,
}

/// Shows the form, and what came of the last one.
async fn login(mut flash: Session<Flash>) -> Html<String> {
    let page = LoginPage {
        flash: flash.message.take(),
    };
    Html(page.to_string())
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
    #[serde(default)]
    remember_me: bool,
}

async fn sign_in(
    session: SessionHandle,
    mut flash: Session<Flash>,
    headers: HeaderMap,
    Form(Credentials {
        user,
        password,
        remember_me,
    }): Form<Credentials>,
) -> Result<Redirect> {
    if !USERS.contains(&(&user, &password)) {
        flash.message = Some(format!("There is no {user} with this password."));
        return Ok(Redirect::to("/login"));
    }
    // What somebody else has left in the session is not for the next.
    if session.get::<Account>()?.is_some() {
        session.clear();
    }
    let user_agent = headers.get(USER_AGENT).and_then(|it| it.to_str().ok());
    session.insert(Device {
        user_agent: user_agent.unwrap_or("Unknown device").to_owned(),
    })?;
    flash.message = Some(format!("Welcome, {user}."));
    session.insert(Account { user })?;
    if remember_me {
        session.set_max_age(FORTNIGHT);
    }
    Ok(Redirect::to("/"))
}

/// The account of whoever asks, or why there is none: for handlers that answer both.
type Visitor = Result<Session<Account>, SessionRejection>;

/// Sends a visitor who has not signed in to do so. An outage of the store is not taken for that.
fn to_login(rejection: SessionRejection) -> Response {
    match rejection {
        SessionRejection::Absent => Redirect::to("/login").into_response(),
        outage => outage.into_response(),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Your devices</title>
<h1>Your devices</h1>
{% if let Some(message) = flash %}<p id="flash">{{ message }}</p>{% endif %}
<p>You are <b>{{ user }}</b>, <b id="state" role="status">signed in</b>.</p>
<table>
  <tr><th>Device</th><th>Signed in</th><th>Last seen</th><th></th></tr>
  {% for row in rows %}
  <tr>
    <td>{{ row.user_agent }}</td><td>{{ row.signed_in }}</td><td>{{ row.last_seen }}</td>
    <td>{% if row.is_current %}this device{% else %}
      <form method="post" action="/sign-out-there">
        <button name="session" value="{{ row.session }}">Sign out there</button>
      </form>{% endif %}
    </td>
  </tr>
  {% endfor %}
</table>
<form method="post">
  <button formaction="/sign-out">Sign out</button>
  <button formaction="/sign-out-others">Sign out the others</button>
  <button formaction="/sign-out-everywhere">Sign out everywhere</button>
</form>
<script>
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/live");
  socket.onmessage = ({ data }) => { document.getElementById("state").textContent = data; };
</script>
"#
)]
struct DevicesPage<'a> {
    user: &'a str,
    flash: Option<String>,
    rows: Vec<Row>,
}

/// A session as the list of devices shows it.
struct Row {
    session: PublicId,
    user_agent: String,
    signed_in: HttpDate,
    last_seen: HttpDate,
    is_current: bool,
}

impl From<&OwnedSession> for Row {
    fn from(session: &OwnedSession) -> Self {
        let device = session.get::<Device>();
        Self {
            session: session.id(),
            user_agent: device.map(|device| device.user_agent).unwrap_or_default(),
            signed_in: session.signed_in_at().into(),
            last_seen: session.last_seen_at().into(),
            is_current: session.is_current(),
        }
    }
}

async fn devices(
    visitor: Visitor,
    sessions: Sessions,
    mut flash: Session<Flash>,
) -> Result<Html<String>> {
    let account = visitor.map_err(to_login)?;
    let listed = sessions.list::<Account>(&account.user).await?;
    let page = DevicesPage {
        user: &account.user,
        flash: flash.message.take(),
        rows: listed.iter().map(Row::from).collect(),
    };
    Ok(Html(page.to_string()))
}

async fn sign_out(session: SessionHandle) -> Redirect {
    session.destroy();
    Redirect::to("/login")
}

/// What a button of the list sends.
#[derive(Deserialize)]
struct Choice {
    session: PublicId,
}

/// Ends one session of the visitor's; it ends nobody else's.
async fn sign_out_there(
    visitor: Visitor,
    sessions: Sessions,
    mut flash: Session<Flash>,
    Form(Choice { session }): Form<Choice>,
) -> Result<Redirect> {
    visitor.map_err(to_login)?;
    let said = if sessions.revoke(session).await? {
        "Signed out there."
    } else {
        "Nobody was signed in there any more."
    };
    flash.message = Some(said.to_owned());
    Ok(Redirect::to("/"))
}

async fn sign_out_others(
    visitor: Visitor,
    sessions: Sessions,
    mut flash: Session<Flash>,
) -> Result<Redirect> {
    visitor.map_err(to_login)?;
    let ended = sessions.revoke_others().await?;
    flash.message = Some(format!("Other devices signed out: {ended}."));
    Ok(Redirect::to("/"))
}

async fn sign_out_everywhere(visitor: Visitor, sessions: Sessions) -> Result<Redirect> {
    let account = visitor.map_err(to_login)?;
    sessions.revoke_all::<Account>(&account.user).await?;
    Ok(Redirect::to("/login"))
}

/// A program that asks is told 401 where it has not signed in, and is sent nowhere.
async fn whoami(Account { user }: Account) -> String {
    user
}

/// Tells an open page that its session has ended.
async fn live(_: Account, session: SessionHandle, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        tokio::select! {
            () = session.ended() => {
                // A page that is closed meanwhile needs no word.
                let _ = socket.send(Message::text("signed out")).await;
                let _ = socket.send(Message::Close(None)).await;
            }
            // The page says nothing, so this is that it was left.
            _ = socket.recv() => {}
        }
    })
}

/// The sessions of the application.
#[must_use]
pub fn sessions() -> SessionLayer {
    SessionLayer::new(MemoryStore::new(), Secret::generate())
}

/// The application, for `main` and for tests.
pub fn app(sessions: SessionLayer) -> Router {
    Router::new()
        .route("/", get(devices))
        // What changes something is a POST: the cookie is `SameSite=Lax`, so the forms of other
        // sites come without it.
        .route("/login", get(login).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sign-out-there", post(sign_out_there))
        .route("/sign-out-others", post(sign_out_others))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
        .route("/api/whoami", get(whoami))
        .route("/live", get(live))
        .layer(sessions)
        // What is typed into a form may be stored: it is short.
        .layer(DefaultBodyLimit::max(1024))
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let sessions = sessions();
    axum::serve(listener, app(sessions.clone()))
        .with_graceful_shutdown(stopped())
        .await?;
    // A sign-out goes on though its visitor has left.
    sessions.drained().await;
    Ok(())
}

/// Waits for Ctrl-C.
async fn stopped() {
    drop(tokio::signal::ctrl_c().await);
}
