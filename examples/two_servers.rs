//! Counts a visitor's page views, whichever of several servers answers: they share a store and a secret.
//!
//! `SESSION_STORE` says where the sessions lie, `SESSION_SECRET` is the secret in base64, `PORT` where to
//! listen on this machine.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::{Router, routing::get};
use sessile::{
    ID_BYTES, PostgresStore, RedisStore, Secret, Session, SessionId, SessionLayer, SessionStore,
    SqliteStore, merge,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// How long a store may take to answer before the first request.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

async fn index(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    match visits.page_views {
        1 => "Welcome to this page for the first time!".to_owned(),
        n => format!("You visited this page {n} times"),
    }
}

/// The application, for `main` and for tests.
pub fn app(sessions: SessionLayer) -> Router {
    Router::new().route("/", get(index)).layer(sessions)
}

/// The store that a URL names, once it has answered.
async fn open(url: &str) -> Result<Arc<dyn SessionStore>, Box<dyn Error>> {
    let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
    let store: Arc<dyn SessionStore> = match scheme {
        "postgres" | "postgresql" => {
            let store = PostgresStore::from_url(url)?;
            // Safe from any number of servers at once.
            timeout(PATIENCE, store.migrate()).await??;
            Arc::new(store)
        }
        "sqlite" => {
            let store = SqliteStore::from_url(url)?;
            timeout(PATIENCE, store.migrate()).await??;
            Arc::new(store)
        }
        "redis" | "rediss" | "redis+cluster" | "redis+sentinel" => Arc::new(RedisStore::open(url)?),
        _ => return Err(UNKNOWN.into()),
    };
    // Better now than at the first visitor.
    let nobody = SessionId::from_bytes([0; ID_BYTES]).key();
    timeout(PATIENCE, store.load(nobody, SystemTime::now().into())).await??;
    Ok(store)
}

const UNKNOWN: &str = "it is none of redis://host, redis+cluster://host,host, \
    redis+sentinel://host,host/master, postgres://user@host/database, sqlite:path";

#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn serve() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("SESSION_SECRET")?;
    let url = std::env::var("SESSION_STORE")
        .map_err(|_| "`SESSION_STORE` is not set: set it to redis://127.0.0.1:6379, for one")?;
    let store = open(&url)
        .await
        .map_err(|error| format!("`SESSION_STORE` cannot be used: {}", whole(&*error)))?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let sessions = SessionLayer::new(store, secret);
    axum::serve(listener, app(sessions.clone()))
        .with_graceful_shutdown(stop)
        .await?;
    // A visit goes on to be counted though its visitor has left.
    sessions.drained().await;
    Ok(())
}

/// An error and what caused it, in one line.
fn whole(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| Error::source(*error));
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
