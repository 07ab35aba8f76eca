//! Counts a visitor's page views: the whole of sessile on one page.

use axum::{Router, routing::get};
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};

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
pub fn app() -> Router {
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    Router::new().route("/", get(index)).layer(sessions)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app()).await?)
}
