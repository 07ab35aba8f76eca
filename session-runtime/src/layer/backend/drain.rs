//! Counts the work that outlives its request, so that a server can wait for it before it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The commits, ends and sweeps of a layer that are under way.
#[derive(Debug, Default)]
pub(in crate::layer) struct Drain {
    busy: AtomicUsize,
    idle: Notify,
}

/// One of them, for as long as it is kept.
#[derive(Debug)]
pub(in crate::layer) struct Busy(Arc<Drain>);

impl Drain {
    pub(in crate::layer) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    /// Waits until nothing is under way.
    pub(in crate::layer) async fn drained(self: Arc<Self>) {
        loop {
            // Before the count is read, so that no end is missed.
            let idle = self.idle.notified();
            if self.busy.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
