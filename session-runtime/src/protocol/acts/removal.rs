//! Removes a request's own session: a logout, and the rivals that a sign-in ends.

use super::plan::Inputs;
use super::recover::{Recovered, Recovery};
use crate::id::StoreKey;
use crate::protocol::state::Link;
use crate::protocol::words::{Event, Fault, Question, Refusal, Reply, Step};

/// How many rotations a logout follows.
const ROTATIONS: u32 = 8;

/// The removal of all that a visitor's tokens open.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(in crate::protocol) struct Removal {
    at: At,
    /// The sessions to remove, the next one last.
    left: Vec<StoreKey>,
    /// The session as the request knows it.
    known: Option<StoreKey>,
    /// A session was removed.
    has_removed: bool,
    rotations: u32,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
enum At {
    /// A session that was to begin is kept from it.
    Forestalling(Box<Recovery>),
    Removing(StoreKey),
    /// The known session is not there: the store is asked where it has gone.
    Following,
}

impl Removal {
    /// Begins to end the session and its rivals; `None` where there is nothing to end.
    pub(in crate::protocol) fn of_all(
        link: &Link,
        rivals: &[StoreKey],
        inputs: &mut Inputs<'_>,
    ) -> Option<(Self, Question)> {
        let mut left = rivals.to_vec();
        let mut forestalled = None;
        match link {
            Link::Stored(stored) => left.push(stored.key),
            // The write may have arrived under a new id, or may arrive yet. It no longer can once the session
            // is removed from its old id, or kept from beginning.
            Link::Writing(write) => match &write.from {
                None => forestalled = Some(Recovery::forestall(write, inputs)),
                Some(from) => {
                    left.extend(write.has_new_id().then_some(write.target.key));
                    left.push(from.key);
                }
            },
            Link::Unread | Link::Absent | Link::Ended(_) => {}
        }
        let known = link.stored().map(|stored| stored.key);
        let (at, question) = if let Some((recovery, question)) = forestalled {
            (At::Forestalling(Box::new(recovery)), question)
        } else {
            let first = left.pop()?;
            (At::Removing(first), Question::Remove(first))
        };
        let removal = Self {
            at,
            left,
            known,
            has_removed: false,
            rotations: 0,
        };
        Some((removal, question))
    }

    /// Begins to end the rivals of a session.
    pub(in crate::protocol) fn of_rivals(rivals: &[StoreKey]) -> Option<(Self, Question)> {
        Self::of_others(rivals.to_vec())
    }

    fn of_others(mut left: Vec<StoreKey>) -> Option<(Self, Question)> {
        let first = left.pop()?;
        let removal = Self {
            at: At::Removing(first),
            left,
            known: None,
            has_removed: false,
            rotations: 0,
        };
        Some((removal, Question::Remove(first)))
    }

    /// Ends with whether a session was removed.
    pub(in crate::protocol) fn answered(
        &mut self,
        link: &Link,
        reply: Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
        news: &mut Vec<Event>,
    ) -> Step<bool> {
        match (&mut self.at, reply) {
            (At::Forestalling(recovery), reply) => {
                let Link::Writing(write) = link else {
                    return self.next();
                };
                match recovery.answered(write, reply, inputs) {
                    Step::Ask(question) => Step::Ask(question),
                    Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
                    Step::Done(Ok(Recovered::Arrived)) => {
                        self.left.push(write.target.key);
                        self.next()
                    }
                    _ => self.next(),
                }
            }
            (_, Err(_)) => Step::Done(Err(Refusal::Store)),
            (At::Removing(key), Ok(Reply::Did(was_there))) => {
                if was_there {
                    news.push(Event::Destroyed(*key));
                    self.has_removed = true;
                }
                self.next()
            }
            (At::Following, Ok(Reply::Successor(successor))) => {
                self.rotations += 1;
                match successor.filter(|_| self.rotations <= ROTATIONS) {
                    Some(successor) => {
                        self.known = Some(successor);
                        self.at = At::Removing(successor);
                        Step::Ask(Question::Remove(successor))
                    }
                    None => Step::Done(Ok(false)),
                }
            }
            (_, Ok(_)) => Step::Done(Err(Refusal::MISMATCH)),
        }
    }

    fn next(&mut self) -> Step<bool> {
        if let Some(next) = self.left.pop() {
            self.at = At::Removing(next);
            return Step::Ask(Question::Remove(next));
        }
        match self.known {
            // Another request may have rotated it: a logout follows it where the store can tell.
            Some(known) if !self.has_removed => {
                self.at = At::Following;
                Step::Ask(Question::Successor(known))
            }
            _ => Step::Done(Ok(self.has_removed)),
        }
    }
}
