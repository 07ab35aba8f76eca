//! Checks a sign-in once it is stored: it must be later than the owner's last revocation, and the owner
//! must not have too many sessions.

use std::mem;

use super::plan::Inputs;
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::protocol::rules::{AtMaxSessions, Rules};
use crate::protocol::state::Write;
use crate::protocol::words::{Event, Fault, Question, Refusal, Reply, Step};
use crate::record::OwnerKey;
use crate::store::Stored;

/// How often the oldest sessions are looked for while they change their ids.
const EVICTIONS: u32 = 8;

/// The check of a write that has put somebody's session under a new id. If the session may not be, it is
/// removed again: nobody has learned of the id.
///
/// A revocation sets its mark before it lists what there is, and this reads the mark after the write is
/// stored: one of the two sees the other.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(super) enum Admission {
    /// Reads the mark of the owner in this place.
    Marked(usize),
    /// Lists the sessions of the new owner in this place; `round` counts the attempts.
    Listing { newcomer: usize, round: u32 },
    /// Removes the oldest sessions of a new owner.
    Evicting {
        newcomer: usize,
        round: u32,
        /// The next one last.
        oldest: Vec<StoreKey>,
        all_were_there: bool,
    },
    /// Removes the session itself.
    Withdrawing(Refusal),
}

impl Admission {
    /// Begins, where there is something to check.
    pub(super) fn begin(write: &Write) -> Option<(Self, Question)> {
        if !write.has_new_id() {
            return None;
        }
        let owner = write.target.record.owners.keys().next()?;
        Some((Self::Marked(0), Question::Marked(owner)))
    }

    /// Ends with the reason where the session was withdrawn.
    pub(super) fn answered(
        &mut self,
        write: &Write,
        reply: Result<Reply, Fault>,
        inputs: &Inputs<'_>,
        news: &mut Vec<Event>,
    ) -> Step<()> {
        let (rules, now) = (inputs.rules, inputs.now);
        let checked = match (mem::replace(self, Self::Marked(0)), reply) {
            (Self::Withdrawing(refusal), reply) => {
                // A failed removal counts more: the session is left behind, though nobody can open it.
                let left = reply.is_err().then_some(Refusal::Store);
                return Step::Done(Err(left.unwrap_or(refusal)));
            }
            (_, Err(_)) => Step::Done(Err(Refusal::Store)),
            (Self::Marked(at), Ok(Reply::Mark(mark))) => self.marked(write, rules, at, mark),
            (Self::Listing { newcomer, round }, Ok(Reply::Owned(mut sessions))) => {
                sessions.retain(|(_, stored)| rules.is_alive(stored, now));
                self.limit(write, rules, newcomer, round, sessions)
            }
            (
                Self::Evicting {
                    newcomer,
                    round,
                    mut oldest,
                    all_were_there,
                },
                Ok(Reply::Did(was_there)),
            ) => {
                let removed = oldest.pop().filter(|_| was_there);
                news.extend(removed.map(Event::Evicted));
                let all_were_there = all_were_there && was_there;
                if !oldest.is_empty() {
                    self.evict(write, newcomer, round, oldest, all_were_there)
                } else if all_were_there {
                    self.list(write, newcomer + 1, 0)
                } else if round + 1 < EVICTIONS {
                    // A session that was not there may have a new id by now.
                    self.list(write, newcomer, round + 1)
                } else {
                    news.push(Event::NotEvicted);
                    self.list(write, newcomer + 1, 0)
                }
            }
            (_, Ok(_)) => Step::Done(Err(Refusal::MISMATCH)),
        };
        let Step::Done(Err(refusal)) = checked else {
            return checked;
        };
        news.push(Event::Withdrawn(write.target.key, refusal.clone()));
        *self = Self::Withdrawing(refusal);
        Step::Ask(Question::Remove(write.target.key))
    }

    fn marked(
        &mut self,
        write: &Write,
        rules: &Rules,
        at: usize,
        mark: Option<Timestamp>,
    ) -> Step<()> {
        let owners = &write.target.record.owners;
        let mut rest = owners.keys().skip(at);
        let owner = rest.next();
        let since = owner.and_then(|owner| owners.since(owner));
        if mark.is_some_and(|mark| since <= Some(mark)) {
            return Step::Done(Err(Refusal::Gone));
        }
        match (rest.next(), rules.max_sessions) {
            (Some(next), _) => {
                *self = Self::Marked(at + 1);
                Step::Ask(Question::Marked(next))
            }
            (None, Some(_)) => self.list(write, 0, 0),
            (None, None) => Step::Done(Ok(())),
        }
    }

    fn list(&mut self, write: &Write, newcomer: usize, round: u32) -> Step<()> {
        match write.newcomers().nth(newcomer) {
            Some(owner) => {
                *self = Self::Listing { newcomer, round };
                Step::Ask(Question::OwnedBy(owner))
            }
            None => Step::Done(Ok(())),
        }
    }

    /// Brings an owner back to as many sessions as allowed. Requests that do so at once agree which sessions
    /// are the oldest.
    fn limit(
        &mut self,
        write: &Write,
        rules: &Rules,
        newcomer: usize,
        round: u32,
        mut sessions: Vec<(StoreKey, Stored)>,
    ) -> Step<()> {
        let max = rules.max_sessions.unwrap_or(usize::MAX);
        let (Some(owner), Some(excess @ 1..)) = (
            write.newcomers().nth(newcomer),
            sessions.len().checked_sub(max),
        ) else {
            return self.list(write, newcomer + 1, 0);
        };
        if rules.at_max_sessions == AtMaxSessions::RefuseNew {
            return Step::Done(Err(Refusal::TooManySessions { max }));
        }
        sessions.sort_by_key(|(key, stored)| (stored.record.owners.since(owner), *key));
        sessions.truncate(excess);
        let oldest = sessions.into_iter().rev().map(|(key, _)| key).collect();
        self.evict(write, newcomer, round, oldest, true)
    }

    fn evict(
        &mut self,
        write: &Write,
        newcomer: usize,
        round: u32,
        oldest: Vec<StoreKey>,
        all_were_there: bool,
    ) -> Step<()> {
        let next = oldest.last().copied();
        let next = next.filter(|next| *next != write.target.key);
        *self = Self::Evicting {
            newcomer,
            round,
            oldest,
            all_were_there,
        };
        // The session itself is the oldest: it is one too many.
        next.map_or(Step::Done(Err(Refusal::Gone)), |next| {
            Step::Ask(Question::Remove(next))
        })
    }
}

/// Checks the room for a sign-in by the sessions of one of its owners, before anything is stored.
pub(super) fn check_room(
    reply: Result<Reply, Fault>,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Ok(Reply::Owned(sessions)) = reply else {
        return Err(Refusal::Store);
    };
    let max = rules.max_sessions.unwrap_or(usize::MAX);
    let alive = sessions.iter().filter(|(_, it)| rules.is_alive(it, now));
    if alive.count() < max {
        Ok(())
    } else {
        Err(Refusal::TooManySessions { max })
    }
}

/// The owners whose sessions are counted before a sign-in is stored.
pub(super) fn counted(rules: &Rules, newcomers: impl FnOnce() -> Vec<OwnerKey>) -> Vec<OwnerKey> {
    if rules.max_sessions.is_some() && rules.at_max_sessions == AtMaxSessions::RefuseNew {
        newcomers()
    } else {
        Vec::new()
    }
}
