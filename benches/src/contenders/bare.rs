//! axum, and no session: the handlers answer as if there were one.

use axum::Router;
use axum::routing::get;

use super::contender::Contender;

pub(super) const CONTENDER: Contender = Contender {
    name: "bare axum",
    has_sessions: false,
    app: || Box::pin(async { app() }),
};

pub(super) fn app() -> Router {
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(async || 1_u64.to_string()))
        .route("/write", get(async || 2_u64.to_string()))
        .route("/login", get(async || 3_u64.to_string()))
}
