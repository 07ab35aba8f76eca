//! A store's answer: at once, or a future; knows nothing of sessions.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::StoreError;

/// What a store answers, now or later.
///
/// A store in memory answers at once, and pays for no boxed future.
pub struct Answer<'a, T>(State<'a, T>);

enum State<'a, T> {
    Now(Option<Result<T, StoreError>>),
    Later(Later<'a, T>),
}

/// A future of an answer.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl<'a, T> Answer<'a, T> {
    /// The answer is at hand.
    pub fn now(result: Result<T, StoreError>) -> Self {
        Self(State::Now(Some(result)))
    }

    /// The answer takes a while.
    pub fn later(future: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Self(State::Later(Box::pin(future)))
    }

    /// The answer if it is at hand, else the future to wait for.
    pub(crate) fn at_once(self) -> Result<Result<T, StoreError>, Later<'a, T>> {
        match self.0 {
            State::Now(result) => Ok(result.expect("an answer is taken once")),
            State::Later(future) => Err(future),
        }
    }
}

impl<T: Unpin> Future for Answer<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Now(result) => {
                Poll::Ready(result.take().expect("an answer is polled to its end once"))
            }
            State::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            State::Now(_) => "Answer::now(..)",
            State::Later(_) => "Answer::later(..)",
        })
    }
}
