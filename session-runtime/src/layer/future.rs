//! The future of a response: it calls the handler, then commits, then lets the head go.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use super::driver::Ending;
use super::http::respond;
use super::request::{Inside, RequestSession, Served};
use super::work::Work;

pin_project! {
    /// The future of a response whose session is stored before its head leaves.
    pub struct ResponseFuture<F> {
        // None once it has answered: what it has left behind is dropped before the commit.
        #[pin]
        handler: Option<F>,
        role: Role,
        // Only for a request whose store has to be waited for.
        commit: Option<Committing>,
    }
}

enum Role {
    Serves(Served),
    /// The same layer, further out, commits.
    Inside(Inside),
}

struct Committing {
    response: Option<Response<Body>>,
    work: Work<Ending>,
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(handler: F, session: Arc<RequestSession>) -> Self {
        Self {
            handler: Some(handler),
            role: Role::Serves(Served(session)),
            commit: None,
        }
    }

    /// As [`new`](Self::new), for a layer that is further out as well, and commits there.
    pub(super) fn inside(handler: F, session: Arc<RequestSession>) -> Self {
        Self {
            handler: Some(handler),
            role: Role::Inside(Inside::new(session)),
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
        let mut this = self.project();
        if let Some(handler) = this.handler.as_mut().as_pin_mut() {
            let response = ready!(handler.poll(context));
            this.handler.set(None);
            if let (Err(_), Role::Inside(inside)) = (&response, &mut *this.role) {
                inside.take_back();
            }
            let response = response?.map(Body::new);
            let is_dropped = drops_changes(response.status());
            let session = match this.role {
                Role::Serves(Served(session)) => session,
                Role::Inside(inside) => {
                    if is_dropped {
                        inside.take_back();
                    } else {
                        inside.keep();
                    }
                    return Poll::Ready(Ok(response));
                }
            };
            let work = match session.commit(is_dropped) {
                None => return Poll::Ready(Ok(response)),
                Some(Ok(ending)) => return Poll::Ready(Ok(respond(response, ending, session))),
                Some(Err(work)) => work,
            };
            *this.commit = Some(Committing {
                response: Some(response),
                work,
            });
        }
        let committing = this.commit.as_mut().expect("the commit has begun");
        let ending = ready!(Pin::new(&mut committing.work).poll(context));
        let response = committing.response.take();
        let response = response.expect("a future is polled to its end once");
        let Role::Serves(Served(session)) = this.role else {
            unreachable!("only a session that is served is committed");
        };
        Poll::Ready(Ok(respond(response, ending, session)))
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// 5xx, and 408 where a timeout inside has cancelled the handler: whatever it changed is dropped.
fn drops_changes(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}
