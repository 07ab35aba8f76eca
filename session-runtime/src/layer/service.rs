//! The layer and its service: puts a session, not yet loaded, into each request.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::builder::SessionLayerBuilder;
use super::config::Config;
use super::future::ResponseFuture;
use super::request::RequestSession;
use super::sweep::Sweeper;
use crate::secret::Secret;
use crate::store::SessionStore;

/// Gives the routes below it sessions: `Router::new().route(..).layer(sessions)`.
///
/// A clone shares the store, the secrets and the settings. Of two layers around one route the inner
/// one serves it.
#[derive(Clone, Debug)]
pub struct SessionLayer(Arc<Config>);

impl SessionLayer {
    /// Makes a layer with safe defaults: a signed `__Host-sid` cookie that is `HttpOnly`, `Secure` and
    /// `SameSite=Lax` and ends with the browser, 24 hours of idleness, 30 days in all.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "the defaults fit each other, as a test shows"
    )]
    pub fn new(store: impl SessionStore, secret: Secret) -> Self {
        Self::builder(store, secret)
            .build()
            .expect("the defaults fit each other")
    }

    /// Begins a layer with settings of its own.
    pub fn builder<'a>(store: impl SessionStore, secret: Secret) -> SessionLayerBuilder<'a> {
        SessionLayerBuilder::new(Arc::new(store), secret)
    }

    pub(super) fn from_config(config: Config) -> Self {
        Self(Arc::new(config))
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService {
            inner,
            config: Arc::clone(&self.0),
        }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<&'static str>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        Sweeper::start(&self.config);
        let presented = self
            .config
            .pays_always()
            .then(|| self.config.presented(request.headers()));
        let session = Arc::new(RequestSession::new(Arc::clone(&self.config), presented));
        request.extensions_mut().insert(Arc::clone(&session));
        ResponseFuture::new(self.inner.call(request), session)
    }
}
