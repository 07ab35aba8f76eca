//! Tells tasks of this process when a session ends: one channel for each session that somebody waits for. It
//! stores nothing and ends nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::expiry::Timestamp;
use crate::id::StoreKey;

/// The sessions whose end somebody waits for.
#[derive(Default)]
pub(in crate::layer) struct Registry {
    /// How many there are: all that an end looks at where nobody waits.
    awaited: AtomicUsize,
    /// A channel for each, with the end it was last stored with. It closes when the session has ended.
    channels: Mutex<HashMap<StoreKey, watch::Sender<Option<Timestamp>>>>,
}

impl Registry {
    /// Tells those who wait for it that the session under `key` is dead.
    pub(in crate::layer) fn ended(&self, key: StoreKey) {
        if self.nobody_waits() {
            return;
        }
        if self.channels().remove(&key).is_some() {
            self.awaited.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells those who wait for the end of the session under `key` that it has been stored with this end. They
    /// learn of a later end when they ask the store.
    pub(in crate::layer) fn stored(&self, key: StoreKey, ends: Timestamp) {
        if self.nobody_waits() {
            return;
        }
        if let Some(channel) = self.channels().get(&key) {
            channel.send_replace(Some(ends));
        }
    }

    /// Waits for the end of a session from now on. What ended before is not announced again: ask the
    /// store afterwards.
    pub(in crate::layer) fn wait(&self, key: StoreKey) -> Waiting<'_> {
        let mut channels = self.channels();
        let channel = channels.entry(key).or_insert_with(|| {
            self.awaited.fetch_add(1, Ordering::Relaxed);
            watch::Sender::default()
        });
        Waiting {
            registry: self,
            key,
            news: Some(channel.subscribe()),
        }
    }

    // Relaxed: a wait is counted before it asks the store, and an end is announced after the store has carried
    // it out. One that found the session alive was therefore counted before the store ended it, and whatever
    // lets the store order the two (a lock, a socket) orders the count too.
    fn nobody_waits(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) == 0
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<StoreKey, watch::Sender<Option<Timestamp>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows how many sessions are waited for, never which.
impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.awaited.load(Ordering::Relaxed))
    }
}

/// One wait. It leaves nothing behind when it is dropped.
pub(in crate::layer) struct Waiting<'r> {
    registry: &'r Registry,
    key: StoreKey,
    /// Always there, but while it is dropped.
    news: Option<watch::Receiver<Option<Timestamp>>>,
}

impl Waiting<'_> {
    /// Waits for the next news of the session.
    pub(in crate::layer) async fn news(&mut self) -> News {
        let news = self.news.as_mut().expect("it is there until it is dropped");
        match news.changed().await {
            Ok(()) => news.borrow_and_update().map_or(News::Changed, News::Stored),
            Err(_) => News::Ended,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut channels = self.registry.channels();
        // Under the lock, so that of two waits that end at once the last one sees that it is the last.
        self.news = None;
        let channel = channels.get(&self.key);
        if channel.is_some_and(|channel| channel.receiver_count() == 0) {
            channels.remove(&self.key);
            self.registry.awaited.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The news that wakes a wait.
pub(in crate::layer) enum News {
    /// The session is dead.
    Ended,
    /// It was stored with this end.
    Stored(Timestamp),
    /// Its own request has changed what it knows of its session.
    Changed,
}

/// Tells those who wait of what their own request does to its session; costs nothing where nobody waits.
#[derive(Default)]
pub(in crate::layer) struct Changed(Option<watch::Sender<()>>);

impl Changed {
    pub(in crate::layer) fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    pub(in crate::layer) fn notify(&self) {
        if let Some(changed) = &self.0 {
            changed.send_replace(());
        }
    }

    pub(in crate::layer) fn watch(&mut self) -> watch::Receiver<()> {
        self.0.get_or_insert_default().subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    fn key(n: u8) -> StoreKey {
        SessionId::from_bytes([n; 24]).key()
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        crate::trace::install();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn an_end_reaches_all_who_wait_for_it_and_nobody_else() {
        let registry = Registry::default();
        let (mut first, mut second) = (registry.wait(key(1)), registry.wait(key(1)));
        let mut other = registry.wait(key(2));
        registry.ended(key(1));
        registry.stored(key(2), Timestamp::MAX);
        block_on(async {
            assert!(matches!(first.news().await, News::Ended));
            assert!(matches!(second.news().await, News::Ended));
            assert!(matches!(other.news().await, News::Stored(Timestamp::MAX)));
        });
    }

    #[test]
    fn a_wait_that_is_dropped_leaves_nothing_behind() {
        let registry = Registry::default();
        let (first, second, third) = (
            registry.wait(key(1)),
            registry.wait(key(1)),
            registry.wait(key(2)),
        );
        drop(first);
        assert_eq!(format!("{registry:?}"), "2");
        registry.ended(key(2));
        drop((second, third));
        assert_eq!(format!("{registry:?}"), "0");
        assert!(registry.channels().is_empty());
    }

    #[test]
    fn a_wait_that_begins_after_an_end_does_not_end_with_it() {
        let registry = Registry::default();
        let before = registry.wait(key(1));
        registry.ended(key(1));
        let after = registry.wait(key(1));
        drop(before);
        assert_eq!(format!("{registry:?}"), "1");
        drop(after);
        assert_eq!(format!("{registry:?}"), "0");
    }

    /// A session of one bit, that ends while somebody begins to wait for it.
    #[test]
    fn no_end_is_missed_between_registering_and_announcing() {
        for _ in 0..10_000 {
            let (registry, alive) = (Registry::default(), Mutex::new(true));
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    *alive.lock().unwrap() = false;
                    registry.ended(key(1));
                });
                let mut waiting = registry.wait(key(1));
                let is_alive = *alive.lock().unwrap();
                if is_alive {
                    block_on(async { assert!(matches!(waiting.news().await, News::Ended)) });
                }
            });
            assert!(registry.channels().is_empty());
        }
    }
}
