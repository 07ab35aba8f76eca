//! One request as a state machine: call the handler, then commit, then let the head go.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, HeaderValue, Response};
use pin_project_lite::pin_project;

use super::commit::{self, End, Outcome};
use super::error::SessionError;
use super::events;
use super::request::{RequestSession, Served};
use crate::id::StoreKey;

pin_project! {
    /// The future of a response whose session is stored before its head leaves.
    pub struct ResponseFuture<F> {
        #[pin]
        handler: F,
        // None where the same layer, further out, commits.
        session: Option<Served>,
        // Boxed only for a request that has something to store or to say.
        commit: Option<Committing>,
    }
}

struct Committing {
    response: Option<Response<Body>>,
    outcome: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(handler: F, session: Option<Arc<RequestSession>>) -> Self {
        Self {
            handler,
            session: session.map(Served),
            commit: None,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.commit.is_none() {
            let response = ready!(this.handler.poll(context)?).map(Body::new);
            let Some(Served(session)) = this.session else {
                return Poll::Ready(Ok(response));
            };
            match commit::end(session, response.status()) {
                End::Nothing => return Poll::Ready(Ok(response)),
                End::AtOnce(outcome) => {
                    return Poll::Ready(Ok(finish(response, outcome, session)));
                }
                End::Commit => {}
            }
            let (session, status) = (Arc::clone(session), response.status());
            *this.commit = Some(Committing {
                response: Some(response),
                outcome: Box::pin(async move { commit::commit(&session, status).await }),
            });
        }
        let committing = this.commit.as_mut().expect("the commit has begun");
        let outcome = ready!(committing.outcome.as_mut().poll(context));
        let response = committing.response.take();
        let response = response.expect("a future is polled to its end once");
        let Served(session) = this.session.as_ref().expect("only a session is committed");
        Poll::Ready(Ok(finish(response, outcome, session)))
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

fn finish(response: Response<Body>, outcome: Outcome, session: &RequestSession) -> Response<Body> {
    let Outcome {
        asked,
        way,
        token,
        instead,
    } = outcome;
    let mut response = match instead {
        Some(error) => in_place(&error, session.key()),
        None => response,
    };
    let headers = response.headers_mut();
    let config = &session.config;
    if asked {
        headers.append(VARY, config.vary.clone());
    }
    if let Some(token) = token {
        forbid_caching(headers);
        config.transport.write(way, token, headers);
    }
    response
}

/// Over the handler's own: a cache must not give this visitor's token to another.
fn forbid_caching(headers: &mut HeaderMap) {
    // A cache that a field is targeted at, as `CDN-Cache-Control`, heeds no other (RFC 9213, section 2.2).
    let is_targeted = |name: &&HeaderName| {
        let name = name.as_str();
        // And two that came before it, of which caches take the same.
        name.ends_with("-cache-control") || matches!(name, "surrogate-control" | "x-accel-expires")
    };
    let targeted: Vec<_> = headers.keys().filter(is_targeted).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Neither the handler's body nor its headers: what it says has not happened.
fn in_place(error: &SessionError, session: Option<StoreKey>) -> Response<Body> {
    if error.status().is_server_error() {
        events::not_stored(session, error);
    }
    let mut response = Response::new(Body::from(error.public_message()));
    *response.status_mut() = error.status();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    let uncached = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, uncached);
    response
}
