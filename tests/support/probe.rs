//! A store that keeps what `MemoryStore` keeps, writes down what it is asked, and fails or panics on demand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sessile::{
    Answer, ExpressSessionStore, Lifetime, MemoryStore, OwnerKey, Revision, SessionStore,
    StoreError, StoreKey, Stored, Swap, Timestamp,
};

#[derive(Default, Clone)]
pub struct Probe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    failing: Mutex<Vec<&'static str>>,
    refusing: Mutex<Vec<&'static str>>,
    panicking: Mutex<Vec<&'static str>>,
    delay: Mutex<Duration>,
    acknowledged: Mutex<Option<Instant>>,
    touches: AtomicBool,
    at_hand: AtomicBool,
}

impl Probe {
    pub fn new() -> Self {
        super::trace::install();
        Self::default()
    }

    /// Touches beside each load from now on, in one step, where it is due.
    pub fn touch_beside_loads(&self) {
        self.0.touches.store(true, Ordering::Relaxed);
    }

    /// Has its answers at hand from now on; what panics then has done its work.
    pub fn answer_at_once(&self) {
        self.0.at_hand.store(true, Ordering::Relaxed);
    }

    /// The operations since the last call, in order.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.calls.lock().unwrap())
    }

    /// Lets these operations fail from now on.
    pub fn fail(&self, operations: &[&'static str]) {
        *self.0.failing.lock().unwrap() = operations.to_vec();
    }

    /// Has no room for these operations from now on.
    pub fn refuse(&self, operations: &[&'static str]) {
        *self.0.refusing.lock().unwrap() = operations.to_vec();
    }

    /// Lets these operations panic from now on.
    pub fn panic(&self, operations: &[&'static str]) {
        *self.0.panicking.lock().unwrap() = operations.to_vec();
    }

    /// Lets every operation take this long from now on.
    pub fn delay(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    /// When an operation was last answered without an error.
    pub fn acknowledged(&self) -> Option<Instant> {
        *self.0.acknowledged.lock().unwrap()
    }

    /// What is stored, without counting.
    pub fn memory(&self) -> &MemoryStore {
        &self.0.memory
    }

    fn answer<'a, T: Send + Unpin + 'a>(
        &'a self,
        operation: &'static str,
        answer: impl FnOnce() -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        self.0.calls.lock().unwrap().push(operation);
        let is_at_hand = self.0.at_hand.load(Ordering::Relaxed);
        let fails = self.0.failing.lock().unwrap().contains(&operation);
        if self.0.refusing.lock().unwrap().contains(&operation) {
            return if is_at_hand {
                Answer::now(Err(StoreError::Full))
            } else {
                Answer::later(async { Err(StoreError::Full) })
            };
        }
        let panics = self.0.panicking.lock().unwrap().contains(&operation);
        let delay = *self.0.delay.lock().unwrap();
        if is_at_hand {
            if fails {
                return Answer::now(Err(StoreError::unavailable("the test lets this fail")));
            }
            let answer = answer();
            assert!(!panics, "the test lets this panic");
            return answer;
        }
        Answer::later(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            assert!(!panics, "the test lets this panic");
            if fails {
                return Err(StoreError::unavailable("the test lets this fail"));
            }
            let result = answer().await?;
            *self.0.acknowledged.lock().unwrap() = Some(Instant::now());
            Ok(result)
        })
    }
}

impl ExpressSessionStore for Probe {
    fn into_shared(self) -> Arc<dyn SessionStore> {
        Arc::new(self)
    }
}

impl SessionStore for Probe {
    fn answers_at_once(&self) -> bool {
        self.0.at_hand.load(Ordering::Relaxed)
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.answer("load", move || self.0.memory.load(key, now))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        if !self.0.touches.load(Ordering::Relaxed) {
            return self.load(key, now);
        }
        self.answer("load_and_touch", move || {
            self.0.memory.load_and_touch(key, lifetime, now)
        })
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.answer("insert", move || self.0.memory.insert(key, new, now))
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.answer("replace", move || {
            self.0.memory.replace(key, expected, new, now)
        })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.answer("rotate", move || {
            self.0.memory.rotate(from, expected, to, new, now)
        })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.answer("touch", move || {
            self.0.memory.touch(key, expected, expires, now)
        })
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.answer("remove", move || self.0.memory.remove(key, now))
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        self.answer("successor", move || self.0.memory.successor(from, now))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.answer("remove_expired", move || {
            self.0.memory.remove_expired(now, limit)
        })
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.answer("owned_by", move || self.0.memory.owned_by(owner, now))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.answer("mark", move || {
            self.0.memory.mark(owner, at, until, since, now)
        })
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.answer("marked", move || self.0.memory.marked(owner, now))
    }
}
