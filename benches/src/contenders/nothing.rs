//! A layer that does nothing: what any layer costs.

use std::task::{Context, Poll};

use axum::extract::Request;
use tower::Service;
use tower::layer::layer_fn;

use super::bare;
use super::contender::Contender;

pub(super) const CONTENDER: Contender = Contender {
    name: "a layer that does nothing",
    has_sessions: false,
    app: || Box::pin(async { bare::app().layer(layer_fn(|inner| Nothing { inner })) }),
};

#[derive(Clone)]
struct Nothing<S> {
    inner: S,
}

impl<S: Service<Request>> Service<Request> for Nothing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.inner.call(request)
    }
}
