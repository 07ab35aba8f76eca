//! Finishes what was begun, whoever goes away: a commit, a logout, a revocation.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::backend::{Busy, Drain};
use crate::id::StoreKey;

/// A future that owns what it works on.
pub(super) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work that a task finishes where its caller drops it.
pub(super) struct Work<T: Send + 'static> {
    future: Option<Later<T>>,
    busy: Option<Busy>,
    session: Option<StoreKey>,
    untold: Untold<T>,
}

/// Says how work on a session has ended where no caller is left to tell; `None` where no runtime carries it on.
pub(super) type Untold<T> = fn(Option<StoreKey>, Option<T>);

impl<T: Send> Work<T> {
    pub(super) fn new(
        drain: &Arc<Drain>,
        session: Option<StoreKey>,
        future: Later<T>,
        untold: Untold<T>,
    ) -> Self {
        Self {
            future: Some(future),
            busy: Some(drain.begin()),
            session,
            untold,
        }
    }

    /// Leaves the work to a task.
    pub(super) fn spawn(self) {
        drop(self);
    }
}

impl<T: Send> Future for Work<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        // Taken out meanwhile: a future that panics is not left to a task.
        let future = this.future.take();
        let mut future = future.expect("a future is polled to its end once");
        let done = future.as_mut().poll(context);
        if done.is_ready() {
            this.busy = None;
        } else {
            this.future = Some(future);
        }
        done
    }
}

impl<T: Send + 'static> Drop for Work<T> {
    fn drop(&mut self) {
        let Some(future) = self.future.take() else {
            return;
        };
        let (busy, session, untold) = (self.busy.take(), self.session, self.untold);
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    untold(session, Some(future.await));
                    drop(busy);
                });
            }
            Err(_) => untold(session, None),
        }
    }
}
