//! Decides which future takes its next step, and which takes none any more; knows no session.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use fastrand::Rng;

/// Waits for one poll.
pub(crate) async fn step() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

thread_local! {
    /// Whether calls are under way to the server that this thread's test has, if it has one.
    static BUSY: RefCell<Box<dyn Fn() -> bool>> = RefCell::new(Box::new(|| false));
}

/// Has [`settle`] wait until no call is under way to a server.
pub(crate) fn settle_by(busy: impl Fn() -> bool + 'static) {
    BUSY.set(Box::new(busy));
}

/// Lets calls arrive whose caller has gone.
pub(crate) async fn settle() {
    loop {
        for _ in 0..50 {
            step().await;
            tokio::task::yield_now().await;
        }
        // A real server takes longer than any number of polls.
        while UNDER_WAY.get() > 0 {
            tokio::task::yield_now().await;
        }
        if !BUSY.with_borrow(|busy| busy()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

thread_local! {
    static UNDER_WAY: Cell<usize> = const { Cell::new(0) };
}

/// A call that goes on without its caller, on the thread of its test.
pub(crate) struct UnderWay(());

impl UnderWay {
    pub(crate) fn begin() -> Self {
        UNDER_WAY.set(UNDER_WAY.get() + 1);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // On a runtime of several threads it may end elsewhere.
        UNDER_WAY.set(UNDER_WAY.get().saturating_sub(1));
    }
}

/// Polls a future at most so often, then drops it; `None` if it was not done by then.
pub(crate) async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            answer => answer.map(Some),
        }
    })
    .await
}

/// Polls a future to its end; `None` if it panics.
pub(crate) async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let poll = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        poll.map_or(Poll::Ready(None), |poll| poll.map(Some))
    })
    .await
}

/// Panics as a handler might, but prints nothing.
pub(crate) fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("the test wants this"))
}

/// Polls several futures to their ends, one step of a random one at a time.
pub(crate) async fn interleave<'a>(
    rng: &mut Rng,
    futures: impl IntoIterator<Item = Pin<Box<dyn Future<Output = ()> + 'a>>>,
) {
    let parent = Arc::new(Mutex::new(Waker::noop().clone()));
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Flag::raised(&parent), future))
        .collect();
    // Without a budget: tokio would have each poll count for all of them.
    let all = tokio::task::unconstrained(poll_fn(|context| {
        parent.lock().unwrap().clone_from(context.waker());
        while !running.is_empty() {
            let ready: Vec<usize> = (0..running.len())
                .filter(|index| running[*index].0.is_raised())
                .collect();
            let Some(&index) = rng.choice(&ready) else {
                return Poll::Pending;
            };
            let (flag, future) = &mut running[index];
            let waker = flag.lower();
            if future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                drop(running.swap_remove(index));
            }
            // From time to time tasks and timers of the runtime have their turn.
            if rng.u8(..8) == 0 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }));
    all.await;
}

/// Whether a future has been woken.
struct Flag {
    raised: AtomicBool,
    parent: Arc<Mutex<Waker>>,
}

impl Flag {
    fn raised(parent: &Arc<Mutex<Waker>>) -> Arc<Self> {
        Arc::new(Self {
            raised: AtomicBool::new(true),
            parent: Arc::clone(parent),
        })
    }

    fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    fn lower(self: &Arc<Self>) -> Waker {
        self.raised.store(false, Ordering::SeqCst);
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, Ordering::SeqCst);
        self.parent.lock().unwrap().wake_by_ref();
    }
}
