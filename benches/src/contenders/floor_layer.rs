//! The least that a usable library does: a layer, an extractor that loads when it is asked for, a
//! cookie that is set by itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use tower::Service;
use tower::layer::layer_fn;

use super::contender::Contender;
use super::floor::{Data, Floor, Id};

pub(super) const CONTENDER: Contender = Contender {
    name: "floor: a naive layer",
    has_sessions: true,
    app: || Box::pin(async { app() }),
};

fn app() -> Router {
    let floor = Floor::new();
    Router::new()
        .route("/untouched", get(async || "untouched"))
        .route(
            "/read",
            get(async |session: Session| session.data().page_views.to_string()),
        )
        .route(
            "/write",
            get(async |session: Session| {
                let mut inner = session.inner();
                inner.data.page_views += 1;
                inner.is_dirty = true;
                inner.data.page_views.to_string()
            }),
        )
        .route(
            "/login",
            get(async |session: Session| {
                let mut inner = session.inner();
                inner.data.user += 1;
                inner.is_dirty = true;
                inner.rotates = true;
                inner.data.user.to_string()
            }),
        )
        .layer(layer_fn(move |inner| Layered {
            inner,
            floor: floor.clone(),
        }))
}

#[derive(Default)]
struct Inner {
    known: Option<Id>,
    data: Data,
    is_dirty: bool,
    rotates: bool,
}

#[derive(Clone)]
struct Session {
    floor: Floor,
    inner: Arc<Mutex<Inner>>,
}

impl Session {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics here")
    }

    fn data(&self) -> Data {
        self.inner().data
    }

    /// Stores what has changed; the id if the visitor is to learn of it.
    fn commit(&self) -> Option<Id> {
        let inner = self.inner();
        if !inner.is_dirty {
            return None;
        }
        let kept = inner.known.filter(|_| !inner.rotates);
        if let (Some(known), None) = (inner.known, kept) {
            self.floor.remove(&known);
        }
        let id = kept.unwrap_or_else(Floor::new_id);
        self.floor.store(id, inner.data);
        kept.is_none().then_some(id)
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let session = parts.extensions.get::<Self>().cloned();
        let session = session.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        if let Some(known) = session.floor.id(&parts.headers) {
            let mut inner = session.inner();
            inner.known = Some(known);
            inner.data = session.floor.load(&known).unwrap_or_default();
        }
        Ok(session)
    }
}

#[derive(Clone)]
struct Layered<S> {
    inner: S,
    floor: Floor,
}

impl<S> Service<Request> for Layered<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let session = Session {
            floor: self.floor.clone(),
            inner: Arc::default(),
        };
        request.extensions_mut().insert(session.clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            if let Some(id) = session.commit() {
                let cookie = session.floor.set_cookie(&id);
                answer.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(answer)
        })
    }
}
