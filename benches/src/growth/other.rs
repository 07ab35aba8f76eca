//! tower-sessions beside the curves: a record of any number of keys, each with a value of its own.

use axum::Router;

/// Its name, where it is built.
#[cfg(feature = "peers")]
pub const NAME: Option<&str> = Some("tower-sessions, signed");
#[cfg(not(feature = "peers"))]
pub const NAME: Option<&str> = None;

/// Handlers that fill a record with so many numbers beside a text of so many bytes, that answer its
/// counter, and that add one to it.
#[cfg(feature = "peers")]
pub fn app(numbers: usize, text: usize) -> Router {
    use axum::routing::get;
    use tower_sessions::cookie::Key;
    use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

    async fn count(session: &Session) -> u64 {
        let found = session.get("page_views").await.expect("a number");
        found.expect("the record is filled")
    }

    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_signed(Key::generate());
    let fill = async move |session: Session| {
        session.insert("page_views", 1).await.expect("a number");
        for number in 1..numbers {
            let key = format!("f{number:03}");
            session.insert(&key, 1234).await.expect("a number");
        }
        if text > 0 {
            session
                .insert("text", "x".repeat(text))
                .await
                .expect("a text");
        }
    };
    let write = async |session: Session| {
        let page_views = count(&session).await + 1;
        session
            .insert("page_views", page_views)
            .await
            .expect("a number");
        page_views.to_string()
    };
    Router::new()
        .route("/fill", get(fill))
        .route(
            "/read",
            get(async |session: Session| count(&session).await.to_string()),
        )
        .route("/write", get(write))
        .layer(sessions)
}

#[cfg(not(feature = "peers"))]
pub fn app(_: usize, _: usize) -> Router {
    Router::new()
}
