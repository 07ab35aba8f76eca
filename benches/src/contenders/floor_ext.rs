//! The physical limit: no layer, and a handler that does everything by hand.

use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::AppendHeaders;
use axum::routing::get;

use super::contender::Contender;
use super::floor::{Data, Floor};

pub(super) const CONTENDER: Contender = Contender {
    name: "floor: a handler by hand",
    has_sessions: true,
    app: || Box::pin(async { app() }),
};

type Cookies = AppendHeaders<Option<(axum::http::HeaderName, HeaderValue)>>;

fn app() -> Router {
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/login", get(login))
        .with_state(Floor::new())
}

fn found(floor: &Floor, headers: &HeaderMap) -> Data {
    let id = floor.id(headers);
    id.and_then(|id| floor.load(&id)).unwrap_or_default()
}

async fn read(State(floor): State<Floor>, headers: HeaderMap) -> String {
    found(&floor, &headers).page_views.to_string()
}

async fn write(State(floor): State<Floor>, headers: HeaderMap) -> (Cookies, String) {
    let known = floor.id(&headers);
    let mut data = known.and_then(|id| floor.load(&id)).unwrap_or_default();
    data.page_views += 1;
    let id = known.unwrap_or_else(Floor::new_id);
    floor.store(id, data);
    let cookie = known.is_none().then(|| (SET_COOKIE, floor.set_cookie(&id)));
    (AppendHeaders(cookie), data.page_views.to_string())
}

async fn login(State(floor): State<Floor>, headers: HeaderMap) -> (Cookies, String) {
    let mut data = found(&floor, &headers);
    data.user += 1;
    if let Some(known) = floor.id(&headers) {
        floor.remove(&known);
    }
    let id = Floor::new_id();
    floor.store(id, data);
    let cookie = (SET_COOKIE, floor.set_cookie(&id));
    (AppendHeaders(Some(cookie)), data.user.to_string())
}
