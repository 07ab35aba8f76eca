//! Runs futures at once, on threads and in turns; knows no store.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::{Arc, Barrier};
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::{spawn_blocking, yield_now};

/// How many threads a race takes.
const LANES: usize = 4;

/// Runs futures to their ends at once: dealt out to threads that start together, and on each thread
/// in turns. So they race in a store that answers at once, and on a runtime of one thread, too.
pub(super) async fn race<F>(racers: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut lanes = [const { Vec::new() }; LANES];
    for (turn, racer) in racers.into_iter().enumerate() {
        lanes[turn % LANES].push(racer);
    }
    let start = Arc::new(Barrier::new(LANES));
    let lanes = lanes.map(|lane| {
        let start = Arc::clone(&start);
        spawn_blocking(move || {
            start.wait();
            Handle::current().block_on(in_turns(lane))
        })
    });
    let mut results = Vec::new();
    for lane in lanes {
        match lane.await {
            Ok(lane) => results.extend(lane),
            Err(failed) => resume_unwind(failed.into_panic()),
        }
    }
    results
}

/// Runs futures to their ends on this thread: each in turn until it has to wait.
pub(super) async fn in_turns<F: Future>(racers: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = racers.into_iter().map(Box::pin).collect();
    let mut results = Vec::new();
    poll_fn(|context| {
        running.retain_mut(|racer| match racer.as_mut().poll(context) {
            Poll::Ready(result) => {
                results.push(result);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    results
}

/// Lets the others run for a random while.
pub(super) async fn dawdle() {
    for _ in 0..fastrand::u8(0..4) {
        yield_now().await;
    }
}
