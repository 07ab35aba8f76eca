//! The rule about futures that are dropped before they end, as they are when a visitor goes away.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::super::{SessionStore, Stored};
use super::kit::{Checked, expired, fresh_key, fresh_owner, in_an_hour, live, now, of, same};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::OwnerKey;

/// An operation that takes more polls than this is dropped at the first so many.
const MOST_POLLS: usize = 64;

/// What was dropped may still be on its way to a server: it is given a second to arrive.
const LOOKS: u32 = if cfg!(test) { 5 } else { 50 };
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// No answer for so long means that something dropped still holds a lock.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 10 } else { 30 });

#[derive(Debug, Clone, Copy)]
enum Operation {
    Load,
    Insert,
    Replace,
    Rotate,
    Touch,
    Remove,
    RemoveExpired,
    OwnedBy,
    Mark,
    Marked,
}

/// Drops each operation at its first, second, third … poll, until it ends before it is dropped.
pub(super) async fn operations_happen_or_do_not<S: SessionStore>(store: &Checked<S>) {
    use Operation::{
        Insert, Load, Mark, Marked, OwnedBy, Remove, RemoveExpired, Replace, Rotate, Touch,
    };

    let (witness, witnessed) = store.stored().await;
    for operation in [
        Load,
        Insert,
        Replace,
        Rotate,
        Touch,
        Remove,
        RemoveExpired,
        OwnedBy,
        Mark,
        Marked,
    ] {
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

/// One operation on keys and owners of its own.
struct Trial {
    operation: Operation,
    key: StoreKey,
    /// Where a rotation goes.
    to: StoreKey,
    old: Stored,
    new: Stored,
    /// Whose the old session is, and whose the new one.
    owners: [OwnerKey; 2],
    /// What an owner is marked with, and what a mark asks for.
    marks: [Timestamp; 2],
}

/// What a store shows of a trial.
#[derive(Debug, Clone)]
struct State {
    /// What stands under the two keys.
    held: [Option<Stored>; 2],
    /// Which of the keys each owner finds.
    listed: [Vec<StoreKey>; 2],
    mark: Option<Timestamp>,
}

impl Trial {
    async fn new<S: SessionStore>(store: &Checked<S>, operation: Operation) -> Self {
        let owners = [fresh_owner(), fresh_owner()];
        let marks = [0, 60].map(|secs| now().plus(Duration::from_secs(secs)));
        let trial = Self {
            operation,
            key: fresh_key(),
            to: fresh_key(),
            old: of(owners[0], live(1)),
            new: Stored {
                expires: now().plus(Duration::from_mins(10)),
                ..of(owners[1], live(2))
            },
            owners,
            marks,
        };
        if !matches!(operation, Operation::Insert) {
            store.insert(&trial.key, &trial.old).await;
        }
        if matches!(operation, Operation::RemoveExpired) {
            store.insert(&trial.to, &of(owners[1], expired(0))).await;
        }
        store.mark(owners[0], marks[0], in_an_hour()).await;
        trial
    }

    async fn run<S: SessionStore>(&self, store: &Checked<S>) {
        let Self {
            operation,
            key,
            to,
            old,
            new,
            owners: [owner, _],
            marks: [_, at],
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
            Operation::OwnedBy => drop(store.owned_by(*owner).await),
            Operation::Mark => drop(store.mark(*owner, *at, in_an_hour()).await),
            Operation::Marked => drop(store.marked(*owner).await),
        }
    }

    /// What the store may show afterwards: as before the operation, or as after it.
    fn old_and_new(&self) -> [State; 2] {
        let (old, new) = (Some(self.old.clone()), Some(self.new.clone()));
        let touched = Some(Stored {
            expires: self.new.expires,
            ..self.old.clone()
        });
        let [mark, later] = self.marks;
        let before = match self.operation {
            Operation::Insert => self.state([None, None], mark),
            _ => self.state([old.clone(), None], mark),
        };
        let after = match self.operation {
            Operation::Load | Operation::RemoveExpired | Operation::OwnedBy | Operation::Marked => {
                before.clone()
            }
            Operation::Insert | Operation::Replace => self.state([new, None], mark),
            Operation::Rotate => self.state([None, new], mark),
            Operation::Touch => self.state([touched, None], mark),
            Operation::Remove => self.state([None, None], mark),
            Operation::Mark => self.state([old, None], later),
        };
        [before, after]
    }

    /// Who finds what, if these sessions are held.
    fn state(&self, held: [Option<Stored>; 2], mark: Timestamp) -> State {
        let listed = self.owners.map(|owner| {
            let held = [self.key, self.to].into_iter().zip(&held);
            let theirs = |stored: &Stored| stored.record.owners.since(owner).is_some();
            held.filter(|(_, stored)| stored.as_ref().is_some_and(theirs))
                .map(|(key, _)| key)
                .collect()
        });
        State {
            held,
            listed,
            mark: Some(mark),
        }
    }

    async fn look<S: SessionStore>(&self, store: &Checked<S>) -> State {
        let keys = |found: Vec<(StoreKey, Stored)>| found.into_iter().map(|(key, _)| key).collect();
        let [before, after] = self.owners;
        State {
            held: [store.load(&self.key).await, store.load(&self.to).await],
            listed: [
                keys(store.owned_by(before).await),
                keys(store.owned_by(after).await),
            ],
            mark: store.marked(before).await,
        }
    }

    async fn expect_old_or_new<S: SessionStore>(&self, store: &Checked<S>) {
        let allowed = self.old_and_new();
        let mut found = self.look(store).await;
        for _ in 0..LOOKS {
            if allowed.iter().any(|state| found.is(state)) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            found = self.look(store).await;
        }
        let operation = self.operation;
        assert!(
            !allowed.iter().any(|state| found.holds(state)),
            "a dropped {operation:?} must have happened or not, to the owners of the session and \
             their mark as well: expected one of {allowed:?}, found {found:?}",
        );
        panic!(
            "a dropped {operation:?} must have happened or not: expected one of {allowed:?}, \
             found {found:?}"
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
            for owner in self.owners {
                store.must_own(owner, &[], &sentence).await;
            }
        }
    }
}

impl State {
    fn is(&self, given: &Self) -> bool {
        self.holds(given) && self.listed == given.listed && self.mark == given.mark
    }

    /// Whether the sessions themselves are as in another state.
    fn holds(&self, given: &Self) -> bool {
        self.held.iter().zip(&given.held).all(as_given)
    }
}

fn as_given((found, given): (&Option<Stored>, &Option<Stored>)) -> bool {
    match (found, given) {
        (Some(found), Some(given)) => same(found, given),
        (None, None) => true,
        _ => false,
    }
}
