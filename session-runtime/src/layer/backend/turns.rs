//! Lets the writers of a contended session go one after another, within this process; knows no store.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::id::StoreKey;

const LINES: usize = 256;

/// Lines to wait in. Two sessions that share one wait for each other now and then, and nothing worse.
pub(in crate::layer) struct Turns(Box<[Mutex<()>]>);

impl Turns {
    /// Waits for a turn, but not longer than `patience`. A turn only spares conflicts: a writer without one may
    /// write all the same.
    pub(in crate::layer) async fn wait(
        &self,
        key: &StoreKey,
        patience: Duration,
    ) -> Option<MutexGuard<'_, ()>> {
        let [line, ..] = key.as_bytes();
        let line = &self.0[usize::from(*line)];
        tokio::time::timeout(patience, line.lock()).await.ok()
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self((0..LINES).map(|_| Mutex::default()).collect())
    }
}
