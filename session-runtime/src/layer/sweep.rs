//! Frees expired sessions in the background, until the last clone of the layer is gone.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::events;
use super::settings::Config;
use crate::store::StoreError;

/// From one sweep to the next, but for a tenth more or less.
const PAUSE: Duration = Duration::from_mins(1);

/// How many sessions one call frees at most.
const BATCH: usize = 1000;

/// Between two batches the store is left to others for as long as the last one took, within these.
const SHORTEST_BREATH: Duration = Duration::from_millis(50);
const LONGEST_BREATH: Duration = Duration::from_secs(1);

/// Keeps a store swept as long as it lives.
#[derive(Debug)]
pub(super) struct Sweeper {
    config: Arc<Config>,
    is_running: Arc<AtomicBool>,
    task: Mutex<Option<AbortHandle>>,
}

impl Sweeper {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            is_running: Arc::default(),
            task: Mutex::default(),
        }
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Starts the task with the first request, since a layer is often built before a runtime runs; and
    /// again with the next one, if the runtime that it ran in has ended.
    pub(super) fn start(&self) {
        if self.is_running.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut task = self.task();
        if self.is_running.swap(true, Ordering::Relaxed) {
            return;
        }
        let running = Running(Arc::clone(&self.is_running));
        let config = Arc::downgrade(&self.config);
        let sweeps = runtime.spawn(async move {
            let _running = running;
            sweep(config).await;
        });
        *task = Some(sweeps.abort_handle());
    }

    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        // Nothing is left half done while it is held.
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = self.task().take() {
            task.abort();
        }
    }
}

/// Keeps the mark of a running task until the task ends. After a panic the mark stays: a store's panics are
/// caught, so the runtime has no timers, and another task would panic as well.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

async fn sweep(config: Weak<Config>) {
    loop {
        sleep(pause()).await;
        let Some(config) = config.upgrade() else {
            return;
        };
        free(&config).await;
    }
}

/// Processes that were started together, on one store, soon sweep at different times.
fn pause() -> Duration {
    PAUSE.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Frees all that has expired, and says so.
async fn free(config: &Config) {
    let began = Instant::now();
    let (mut freed, mut batches) = (0, 0);
    loop {
        let asked = Instant::now();
        let busy = config.drain.begin();
        let batch = contained(batch(config)).await;
        drop(busy);
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                events::not_swept(&error);
                break;
            }
        };
        freed += batch;
        batches += u32::from(batch > 0);
        if batch < BATCH {
            break;
        }
        sleep(asked.elapsed().clamp(SHORTEST_BREATH, LONGEST_BREATH)).await;
    }
    if freed > 0 {
        events::swept(freed, batches, began.elapsed());
    }
}

async fn batch(config: &Config) -> Result<usize, StoreError> {
    config.backend.remove_expired(config.now(), BATCH).await
}

/// A store that panics has failed, and is asked again next time.
async fn contained<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let mut asked = pin!(asked);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(StoreError::unavailable("it panicked"))))
    })
    .await
}
