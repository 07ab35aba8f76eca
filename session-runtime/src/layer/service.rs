//! The layer and its service: puts a session, not yet loaded, into each request.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::config::Config;
use super::future::ResponseFuture;
use super::request::RequestSession;
use super::sweep::Sweeper;

/// Gives the routes below it sessions: `Router::new().route(..).layer(sessions)`.
///
/// A clone shares the store, the secrets and the settings; around one route twice, it serves once. Of
/// two layers with settings of their own around one route, the inner one serves it.
///
/// It needs a runtime of tokio with timers, as `#[tokio::main]` makes one: for the deadline of a store, and to
/// sweep it.
#[derive(Clone, Debug)]
pub struct SessionLayer(Arc<Sweeper>);

impl SessionLayer {
    pub(super) fn from_config(config: Config) -> Self {
        Self(Arc::new(Sweeper::new(config)))
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        self.0.config()
    }
}

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
        let outer = request.extensions().get::<Arc<RequestSession>>();
        if outer.is_some_and(|outer| Arc::ptr_eq(&outer.config, config)) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        let arrival = config
            .pays_always()
            .then(|| config.arrival(request.uri(), request.headers()));
        let own_cookie = config.own_cookie(&request);
        let session = RequestSession::new(Arc::clone(config), own_cookie, arrival);
        let session = Arc::new(session);
        request.extensions_mut().insert(Arc::clone(&session));
        ResponseFuture::new(self.inner.call(request), Some(session))
    }
}
