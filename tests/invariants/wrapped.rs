//! Stores that do what another store does, but slowly, late or unheard; know no session.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessile::{
    Answer, Lifetime, OwnerKey, Revision, SessionStore, StoreError, StoreKey, Stored, Swap,
    Timestamp,
};
use tokio::sync::Notify;

use super::schedule::{UnderWay, step};

type Call<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// What happens around each call of a store.
pub(crate) trait Manner: Clone + Send + Sync + 'static {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T>;
}

/// A store whose every call is carried out in some manner.
#[derive(Clone)]
pub(crate) struct Wrapped<S, M>(pub(crate) S, pub(crate) M);

/// Waits for one poll before each call and one after it.
#[derive(Clone)]
pub(crate) struct InSteps;

impl Manner for InSteps {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        Box::pin(async {
            step().await;
            let answer = call.await;
            step().await;
            answer
        })
    }
}

/// Waits for up to two polls on either side of each call.
#[derive(Clone)]
pub(crate) struct InRandomSteps;

impl Manner for InRandomSteps {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        Box::pin(async {
            steps(fastrand::usize(..3)).await;
            let answer = call.await;
            steps(fastrand::usize(..3)).await;
            answer
        })
    }
}

/// Takes so long for each call.
#[derive(Clone)]
pub(crate) struct Taking(pub(crate) Duration);

impl Manner for Taking {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        Box::pin(async move {
            tokio::time::sleep(self.0).await;
            call.await
        })
    }
}

/// Carries each call out in a task of its own, as a pool of threads or a pipelined connection does:
/// a call whose caller has gone is carried out all the same, some time later.
#[derive(Clone)]
pub(crate) struct Regardless;

impl Manner for Regardless {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        Box::pin(async {
            let call = tokio::spawn(async {
                let _under_way = UnderWay::begin();
                steps(fastrand::usize(1..6)).await;
                call.await
            });
            call.await.expect("a store does not panic")
        })
    }
}

/// Carries calls out, and loses the answers of those to come until it is told to stop.
#[derive(Clone, Default)]
pub(crate) struct Unheard(Arc<Mutex<bool>>);

impl Unheard {
    pub(crate) fn lose_answers(&self, lose: bool) {
        *self.0.lock().unwrap() = lose;
    }
}

impl Manner for Unheard {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        Box::pin(async move {
            let lost = *self.0.lock().unwrap();
            let answer = call.await;
            if lost {
                return Err(StoreError::unavailable("the answer was lost"));
            }
            answer
        })
    }
}

/// Holds one call until it is let go; the others pass.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Shared>);

#[derive(Default)]
struct Shared {
    armed: Mutex<Option<(usize, Side)>>,
    held: Notify,
    released: Notify,
}

/// On which side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Gate {
    /// Will hold the `n`-th call from now on, counted from 0.
    pub(crate) fn hold(&self, n: usize, side: Side) {
        *self.0.armed.lock().unwrap() = Some((n, side));
    }

    /// Waits until a call is held.
    pub(crate) async fn is_holding(&self) {
        self.0.held.notified().await;
    }

    pub(crate) fn release(&self) {
        self.0.released.notify_one();
    }

    /// Where the call that has just come is to be held, if it is.
    fn side(&self) -> Option<Side> {
        let mut armed = self.0.armed.lock().unwrap();
        match armed.take()? {
            (0, side) => Some(side),
            (n, side) => {
                *armed = Some((n - 1, side));
                None
            }
        }
    }

    async fn wait(&self) {
        self.0.held.notify_one();
        self.0.released.notified().await;
    }
}

impl Manner for Gate {
    fn carry_out<T: Send + 'static>(self, call: Call<T>) -> Call<T> {
        let side = self.side();
        Box::pin(async move {
            if side == Some(Side::Before) {
                self.wait().await;
            }
            let answer = call.await;
            if side == Some(Side::After) {
                self.wait().await;
            }
            answer
        })
    }
}

async fn steps(n: usize) {
    for _ in 0..n {
        step().await;
    }
}

impl<S: SessionStore + Clone, M: Manner> Wrapped<S, M> {
    fn answer<T, F>(&self, call: impl FnOnce(S) -> F) -> Answer<'static, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let Self(inner, manner) = self;
        let call = Box::pin(call(inner.clone()));
        Answer::later(manner.clone().carry_out(call))
    }
}

impl<S: SessionStore + Clone, M: Manner> SessionStore for Wrapped<S, M> {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.answer(move |inner| async move { inner.load(key, now).await })
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        self.answer(move |inner| async move { inner.load_and_touch(key, lifetime, now).await })
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.answer(move |inner| async move { inner.insert(key, new, now).await })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.answer(move |inner| async move { inner.replace(key, expected, new, now).await })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.answer(move |inner| async move { inner.rotate(from, expected, to, new, now).await })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.answer(move |inner| async move { inner.touch(key, expected, expires, now).await })
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.answer(move |inner| async move { inner.remove(key, now).await })
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        self.answer(move |inner| async move { inner.successor(from, now).await })
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.answer(move |inner| async move { inner.remove_expired(now, limit).await })
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.answer(move |inner| async move { inner.owned_by(owner, now).await })
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.answer(move |inner| async move { inner.mark(owner, at, until, since, now).await })
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.answer(move |inner| async move { inner.marked(owner, now).await })
    }
}
