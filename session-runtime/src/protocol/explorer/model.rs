//! The contract of a store, executable: a map, and the marks of owners.

use std::collections::BTreeMap;

use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::protocol::{Question, Reply};
use crate::record::OwnerKey;
use crate::store::{Stored, Swap};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Model {
    pub(super) sessions: BTreeMap<StoreKey, Stored>,
    marks: BTreeMap<OwnerKey, Timestamp>,
}

impl Model {
    pub(super) fn live(&self, now: Timestamp) -> impl Iterator<Item = (&StoreKey, &Stored)> {
        self.sessions.iter().filter(move |(_, it)| it.is_live(now))
    }

    pub(super) fn find(&self, key: StoreKey, now: Timestamp) -> Option<&Stored> {
        self.sessions.get(&key).filter(|it| it.is_live(now))
    }

    pub(super) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Does what is asked, and answers.
    pub(super) fn carry_out(
        &mut self,
        question: &Question,
        now: Timestamp,
        life: Lifetime,
    ) -> Reply {
        match question {
            Question::Load(key) => Reply::Loaded(self.find(*key, now).cloned()),
            Question::LoadAndTouch(key) => {
                if let Some(stored) = self.sessions.get_mut(key)
                    && stored.is_live(now)
                    && stored.record.idle.is_none()
                    && let Some(due) = life.due(stored.record.created, stored.expires, now)
                {
                    stored.expires = due;
                }
                Reply::Loaded(self.find(*key, now).cloned())
            }
            Question::Insert { key, new } => {
                let is_free = self.find(*key, now).is_none();
                if is_free {
                    self.sessions.insert(*key, new.clone());
                }
                Reply::Did(is_free)
            }
            Question::Replace { key, expected, new } => {
                Reply::Swapped(match self.find(*key, now).cloned() {
                    None => Swap::Gone,
                    Some(standing) if standing.record.revision == *expected => {
                        self.sessions.insert(*key, new.clone());
                        Swap::Done
                    }
                    Some(standing) => Swap::Conflict(standing),
                })
            }
            Question::Rotate {
                from,
                expected,
                to,
                new,
            } => Reply::Swapped(match self.find(*from, now).cloned() {
                None => Swap::Gone,
                Some(standing) if standing.record.revision == *expected => {
                    self.sessions.remove(from);
                    self.sessions.insert(*to, new.clone());
                    Swap::Done
                }
                Some(standing) => Swap::Conflict(standing),
            }),
            Question::Touch {
                key,
                expected,
                expires,
            } => Reply::Did(match self.sessions.get_mut(key) {
                Some(stored) if stored.is_live(now) => {
                    if stored.record.revision == *expected {
                        stored.expires = *expires;
                    }
                    true
                }
                _ => false,
            }),
            Question::Remove(key) => {
                let was_there = self.find(*key, now).is_some();
                self.sessions.remove(key);
                Reply::Did(was_there)
            }
            Question::Successor(_) => Reply::Successor(None),
            Question::OwnedBy(owner) => Reply::Owned(
                self.live(now)
                    .filter(|(_, it)| it.record.owners.since(*owner).is_some())
                    .map(|(key, it)| (*key, it.clone()))
                    .collect(),
            ),
            Question::Mark { owner, since, .. } => {
                let stands = self.marks.get(owner).copied();
                if let (Some(stands), Some(since)) = (stands, since)
                    && stands >= *since
                {
                    return Reply::Mark(None);
                }
                let next = stands.map(|it| Timestamp::from_millis(it.as_millis() + 1));
                let mark = next.map_or(now, |next| next.max(now));
                self.marks.insert(*owner, mark);
                Reply::Mark(Some(mark))
            }
            Question::Marked(owner) => Reply::Mark(self.marks.get(owner).copied()),
        }
    }
}
