//! The rule about futures that are dropped before they end, as they are when a visitor goes away.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::super::{SessionStore, Stored};
use super::kit::{Checked, expired, fresh_key, live, now, same};
use crate::id::StoreKey;

/// An operation that takes more polls than this is dropped at the first so many.
const MOST_POLLS: usize = 64;

/// What was dropped may still be on its way to a server: it is given a second to arrive.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// No answer for so long means that something dropped still holds a lock.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 30 });

#[derive(Debug, Clone, Copy)]
enum Operation {
    Load,
    Insert,
    Replace,
    Rotate,
    Touch,
    Remove,
    RemoveExpired,
}

/// Drops each operation at its first, second, third … poll, until it ends before it is dropped.
pub(super) async fn operations_happen_or_do_not<S: SessionStore>(store: &Checked<S>) {
    use Operation::{Insert, Load, Remove, RemoveExpired, Replace, Rotate, Touch};

    let (witness, witnessed) = store.stored().await;
    for operation in [Load, Insert, Replace, Rotate, Touch, Remove, RemoveExpired] {
        for polls in 1..=MOST_POLLS {
            let check = async {
                let trial = Trial::new(store, operation).await;
                let ended = polled(polls, trial.run(store)).await;
                let sentence =
                    format!("a `load` after a dropped {operation:?} must answer for its own key");
                store.must_hold(&witness, &witnessed, &sentence).await;
                trial.expect_old_or_new(store).await;
                trial.clean_up(store).await;
                ended
            };
            let Ok(ended) = tokio::time::timeout(PATIENCE, check).await else {
                panic!("the store must still answer after a dropped {operation:?}");
            };
            if ended {
                break;
            }
        }
    }
}

/// Polls a future so many times, then drops it. Says whether it had ended.
async fn polled(polls: usize, future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        left -= 1;
        if left == 0 {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// One operation on keys of its own.
struct Trial {
    operation: Operation,
    key: StoreKey,
    /// Where a rotation goes.
    to: StoreKey,
    old: Stored,
    new: Stored,
}

impl Trial {
    async fn new<S: SessionStore>(store: &Checked<S>, operation: Operation) -> Self {
        let trial = Self {
            operation,
            key: fresh_key(),
            to: fresh_key(),
            old: live(1),
            new: Stored {
                expires: now().plus(Duration::from_mins(10)),
                ..live(2)
            },
        };
        match operation {
            Operation::Insert => {}
            Operation::RemoveExpired => {
                store.insert(&trial.to, &expired(0)).await;
                store.insert(&trial.key, &trial.old).await;
            }
            _ => {
                store.insert(&trial.key, &trial.old).await;
            }
        }
        trial
    }

    async fn run<S: SessionStore>(&self, store: &Checked<S>) {
        let Self {
            operation,
            key,
            to,
            old,
            new,
        } = self;
        let revision = old.record.revision;
        match operation {
            Operation::Load => drop(store.load(key).await),
            Operation::Insert => drop(store.insert(key, new).await),
            Operation::Replace => drop(store.replace(key, revision, new).await),
            Operation::Rotate => drop(store.rotate(key, revision, to, new).await),
            Operation::Touch => drop(store.touch(key, new.expires).await),
            Operation::Remove => drop(store.remove(key).await),
            Operation::RemoveExpired => drop(store.remove_expired(1).await),
        }
    }

    /// What may stand under the two keys afterwards: as before the operation, or as after it.
    fn old_and_new(&self) -> [[Option<Stored>; 2]; 2] {
        let (old, new) = (Some(self.old.clone()), Some(self.new.clone()));
        let touched = Some(Stored {
            expires: self.new.expires,
            ..self.old.clone()
        });
        match self.operation {
            Operation::Load | Operation::RemoveExpired => [[old.clone(), None], [old, None]],
            Operation::Insert => [[None, None], [new, None]],
            Operation::Replace => [[old, None], [new, None]],
            Operation::Rotate => [[old, None], [None, new]],
            Operation::Touch => [[old, None], [touched, None]],
            Operation::Remove => [[old, None], [None, None]],
        }
    }

    async fn expect_old_or_new<S: SessionStore>(&self, store: &Checked<S>) {
        let allowed = self.old_and_new();
        let mut found = [None, None];
        for _ in 0..LOOKS {
            found = [store.load(&self.key).await, store.load(&self.to).await];
            if allowed
                .iter()
                .any(|state| state.iter().zip(&found).all(as_given))
            {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!(
            "a dropped {:?} must have happened or not: expected one of {allowed:?}, found {found:?}",
            self.operation
        );
    }

    /// Removes the session wherever it is: what was dropped must not bring it back.
    async fn clean_up<S: SessionStore>(&self, store: &Checked<S>) {
        store.remove(&self.key).await;
        store.remove(&self.to).await;
        // An insert may still be on its way, and finds its key free.
        if !matches!(self.operation, Operation::Insert) {
            let sentence = format!(
                "a dropped {:?} must not come back after `remove`",
                self.operation
            );
            store.must_be_free(&self.key, &sentence).await;
            store.must_be_free(&self.to, &sentence).await;
        }
    }
}

fn as_given((given, found): (&Option<Stored>, &Option<Stored>)) -> bool {
    match (given, found) {
        (Some(given), Some(found)) => same(found, given),
        (None, None) => true,
        _ => false,
    }
}
