//! Frees expired sessions in the background, until the last clone of the layer is gone.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::config::Config;
use super::events;

const PAUSE: Duration = Duration::from_mins(1);

/// How many sessions one call frees at most; the store is left to others in between.
const BATCH: usize = 1000;

/// Keeps a store swept as long as it lives.
#[derive(Debug)]
pub(super) struct Sweeper {
    config: Arc<Config>,
    task: OnceLock<AbortHandle>,
}

impl Sweeper {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            task: OnceLock::new(),
        }
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Starts the task with the first request, since a layer is often built before a runtime runs.
    pub(super) fn start(&self) {
        if self.task.get().is_some() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        self.task.get_or_init(|| {
            runtime
                .spawn(sweep(Arc::downgrade(&self.config)))
                .abort_handle()
        });
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

async fn sweep(config: Weak<Config>) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(config) = config.upgrade() else {
            return;
        };
        let freed = config
            .ask(config.store.remove_expired(config.now(), BATCH))
            .await;
        pause = match freed {
            Ok(freed) if freed >= BATCH => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                events::not_swept(&error);
                PAUSE
            }
        };
    }
}
