//! The layer and its service: puts a session, not yet loaded, into each request.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::future::ResponseFuture;
use super::request::RequestSession;
use super::settings::SessionLayer;
use super::sweep::Sweeper;

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService {
            inner,
            sweeper: Arc::clone(&self.0),
        }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    sweeper: Arc<Sweeper>,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.sweeper.start();
        let config = self.sweeper.config();
        let outer = request.extensions().get::<Arc<RequestSession>>().cloned();
        if let Some(outer) = outer.as_ref().filter(|outer| outer.is_of(config)) {
            let outer = Arc::clone(outer);
            return ResponseFuture::inside(self.inner.call(request), outer);
        }
        let concerns_all = config.rules.concern_all();
        let arrival = concerns_all.then(|| config.arrival(request.uri(), request.headers()));
        let own_cookie = config.cookies.of_request(&request);
        let session = RequestSession::new(Arc::clone(config), own_cookie, arrival, outer);
        let session = Arc::new(session);
        request.extensions_mut().insert(Arc::clone(&session));
        ResponseFuture::new(self.inner.call(request), session)
    }
}
