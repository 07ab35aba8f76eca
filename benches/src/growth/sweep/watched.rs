//! A store in memory that tells how its sweep goes.

use std::future::poll_fn;
use std::mem::take;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use sessile::{
    Answer, Lifetime, MemoryStore, OwnerKey, Revision, SessionStore, StoreKey, Stored, Swap,
    Timestamp,
};

use super::waits::Waits;

pub(super) struct Watched {
    store: MemoryStore,
    swept: AtomicUsize,
    /// How long the sweep has kept a thread without a break, in the processor's time: what others make
    /// it wait is not its own.
    stretches: Mutex<Waits>,
    /// When the first session was freed, and the last.
    times: Mutex<Option<(Instant, Instant)>>,
}

impl Watched {
    pub(super) fn new(store: MemoryStore) -> Self {
        Self {
            store,
            swept: AtomicUsize::new(0),
            stretches: Mutex::default(),
            times: Mutex::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.store.len()
    }

    /// How many sessions were freed so far.
    pub(super) fn swept(&self) -> usize {
        self.swept.load(Relaxed)
    }

    pub(super) fn take_stretches(&self) -> Waits {
        take(&mut self.stretches.lock().expect("nobody panics here"))
    }

    /// From the first batch to the last.
    pub(super) fn took(&self) -> Duration {
        let times = *self.times.lock().expect("nobody panics here");
        times.map_or(Duration::ZERO, |(first, last)| last - first)
    }

    fn note(&self, began: Instant, stretch: Duration, freed: usize) {
        let mut stretches = self.stretches.lock().expect("nobody panics here");
        stretches.note(stretch);
        drop(stretches);
        if freed > 0 {
            let mut times = self.times.lock().expect("nobody panics here");
            let first = times.map_or(began, |(first, _)| first);
            *times = Some((first, Instant::now()));
            self.swept.fetch_add(freed, Relaxed);
        }
    }
}

impl SessionStore for Watched {
    fn answers_at_once(&self) -> bool {
        self.store.answers_at_once()
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.store.load(key, now)
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        self.store.load_and_touch(key, lifetime, now)
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.store.insert(key, new, now)
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.store.replace(key, expected, new, now)
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.store.rotate(from, expected, to, new, now)
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.store.touch(key, expected, expires, now)
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.store.remove(key, now)
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        self.store.successor(from, now)
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        let mut answer = self.store.remove_expired(now, limit);
        Answer::later(poll_fn(move |context| {
            let (began, work) = (Instant::now(), ThreadTime::now());
            let polled = Pin::new(&mut answer).poll(context);
            let freed = match &polled {
                Poll::Ready(Ok(freed)) => *freed,
                Poll::Ready(Err(_)) | Poll::Pending => 0,
            };
            self.note(began, work.elapsed(), freed);
            polled
        }))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.store.owned_by(owner, now)
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.store.mark(owner, at, until, since, now)
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.store.marked(owner, now)
    }
}
