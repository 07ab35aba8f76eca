//! Asks the store the machine's questions, with a deadline, and tells those who wait when a session has ended.

use std::sync::Arc;
use std::time::Duration;

use super::registry::Registry;
use super::turns::Turns;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::protocol::{Question, Reply};
use crate::store::{Answer, Later, SessionStore, StoreError, Stored, Swap};

/// The store of a layer, and what its requests share beside it.
pub(in crate::layer) struct Backend {
    store: Arc<dyn SessionStore>,
    pub(in crate::layer) timeout: Duration,
    pub(in crate::layer) turns: Turns,
    pub(in crate::layer) registry: Registry,
}

/// A question that the store has taken.
pub(in crate::layer) enum Asked<'s> {
    Now(Result<Reply, StoreError>),
    Later(Waiting<'s>),
}

/// A question whose answer takes a while.
pub(in crate::layer) struct Waiting<'s> {
    about: About,
    answer: Pending<'s>,
}

/// The answer, by its kind: a future of a future would be one more box.
enum Pending<'s> {
    Loaded(Later<'s, Option<Stored>>),
    Did(Later<'s, bool>),
    Swapped(Later<'s, Swap>),
    Successor(Later<'s, Option<StoreKey>>),
    Owned(Later<'s, Vec<(StoreKey, Stored)>>),
    Mark(Later<'s, Option<Timestamp>>),
}

/// The sessions whose end a reply tells.
#[derive(Clone, Copy)]
enum About {
    Nothing,
    /// The session is dead however the store answers.
    Removal(StoreKey),
    /// The session is dead where the store finds none.
    Touch(StoreKey),
    Replacement {
        key: StoreKey,
        ends: Timestamp,
    },
    Rotation {
        from: StoreKey,
    },
}

impl Backend {
    pub(in crate::layer) fn new(store: Arc<dyn SessionStore>, timeout: Duration) -> Self {
        Self {
            store,
            timeout,
            turns: Turns::default(),
            registry: Registry::default(),
        }
    }

    /// Returns `true` if the store has its answers at hand.
    pub(in crate::layer) fn is_at_hand(&self) -> bool {
        self.store.answers_at_once()
    }

    /// Asks one question. `ends` is when a session that is replaced ends from then on.
    pub(in crate::layer) fn ask(
        &self,
        question: Question,
        lifetime: Lifetime,
        ends: impl FnOnce(&Stored) -> Timestamp,
        now: Timestamp,
    ) -> Asked<'_> {
        let store = &self.store;
        match question {
            Question::Load(key) => self.asked(
                About::Nothing,
                store.load(key, now),
                Reply::Loaded,
                Pending::Loaded,
            ),
            Question::LoadAndTouch(key) => self.asked(
                About::Nothing,
                store.load_and_touch(key, lifetime, now),
                Reply::Loaded,
                Pending::Loaded,
            ),
            Question::Insert { key, new } => self.asked(
                About::Nothing,
                store.insert(key, new, now),
                Reply::Did,
                Pending::Did,
            ),
            Question::Replace { key, expected, new } => {
                let about = About::Replacement {
                    key,
                    ends: ends(&new),
                };
                let answer = store.replace(key, expected, new, now);
                self.asked(about, answer, Reply::Swapped, Pending::Swapped)
            }
            Question::Rotate {
                from,
                expected,
                to,
                new,
            } => {
                let about = About::Rotation { from };
                let answer = store.rotate(from, expected, to, new, now);
                self.asked(about, answer, Reply::Swapped, Pending::Swapped)
            }
            Question::Touch {
                key,
                expected,
                expires,
            } => {
                let answer = store.touch(key, expected, expires, now);
                self.asked(About::Touch(key), answer, Reply::Did, Pending::Did)
            }
            Question::Remove(key) => {
                let answer = store.remove(key, now);
                self.asked(About::Removal(key), answer, Reply::Did, Pending::Did)
            }
            Question::Successor(key) => {
                let answer = store.successor(key, now);
                self.asked(About::Nothing, answer, Reply::Successor, Pending::Successor)
            }
            Question::OwnedBy(owner) => {
                let answer = store.owned_by(owner, now);
                self.asked(About::Nothing, answer, Reply::Owned, Pending::Owned)
            }
            Question::Mark {
                owner,
                until,
                since,
            } => {
                let answer = store.mark(owner, now, until, since, now);
                self.asked(About::Nothing, answer, Reply::Mark, Pending::Mark)
            }
            Question::Marked(owner) => {
                let answer = store.marked(owner, now);
                self.asked(About::Nothing, answer, Reply::Mark, Pending::Mark)
            }
        }
    }

    fn asked<'s, T>(
        &self,
        about: About,
        answer: Answer<'s, T>,
        reply: impl FnOnce(T) -> Reply,
        pending: impl FnOnce(Later<'s, T>) -> Pending<'s>,
    ) -> Asked<'s> {
        match answer.at_once() {
            Ok(result) => {
                let result = result.map(reply);
                self.announce(about, &result);
                Asked::Now(result)
            }
            Err(later) => Asked::Later(Waiting {
                about,
                answer: pending(later),
            }),
        }
    }

    /// Waits for an answer, but not longer than the deadline.
    pub(in crate::layer) async fn wait(&self, waiting: Waiting<'_>) -> Result<Reply, StoreError> {
        let Waiting { about, answer } = waiting;
        let reply = tokio::time::timeout(self.timeout, answer.reply()).await;
        let reply = reply.unwrap_or(Err(StoreError::TimedOut));
        self.announce(about, &reply);
        reply
    }

    /// Frees up to `limit` sessions that are no longer live.
    pub(in crate::layer) async fn remove_expired(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let freed = self.store.remove_expired(now, limit);
        let freed = tokio::time::timeout(self.timeout, freed).await;
        freed.unwrap_or(Err(StoreError::TimedOut))
    }

    fn announce(&self, about: About, reply: &Result<Reply, StoreError>) {
        match (about, reply) {
            (About::Removal(key), Ok(_))
            | (About::Touch(key), Ok(Reply::Did(false)))
            | (About::Replacement { key, .. }, Ok(Reply::Swapped(Swap::Gone)))
            | (About::Rotation { from: key }, Ok(Reply::Swapped(Swap::Done | Swap::Gone))) => {
                self.registry.ended(key);
            }
            (About::Replacement { key, ends }, Ok(Reply::Swapped(Swap::Done))) => {
                self.registry.stored(key, ends);
            }
            _ => {}
        }
    }
}

impl Pending<'_> {
    async fn reply(self) -> Result<Reply, StoreError> {
        match self {
            Self::Loaded(answer) => answer.await.map(Reply::Loaded),
            Self::Did(answer) => answer.await.map(Reply::Did),
            Self::Swapped(answer) => answer.await.map(Reply::Swapped),
            Self::Successor(answer) => answer.await.map(Reply::Successor),
            Self::Owned(answer) => answer.await.map(Reply::Owned),
            Self::Mark(answer) => answer.await.map(Reply::Mark),
        }
    }
}
