//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// Begins at noon on 2026-01-01.
    pub fn new() -> Self {
        super::trace::install();
        Self(Arc::new(AtomicU64::new(1_767_268_800_000)))
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Moves on by a millisecond, and reads.
    pub fn tick(&self) -> SystemTime {
        self.advance(Duration::from_millis(1));
        self.now()
    }

    /// As `reader`, but no two readings are the same.
    pub fn ticking(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.tick()
    }

    /// What `SessionLayerBuilder::clock` takes.
    pub fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}
