//! Finds out what became of a write whose answer was lost, and sees to it that it arrives no more.

use super::plan::{self, Inputs};
use crate::protocol::state::{Snapshot, Write};
use crate::protocol::words::{Fault, Question, Refusal, Reply, Step};
use crate::store::{Stored, Swap};

/// The recovery of one write.
///
/// Its revision says whether the write has arrived. One that has not is not repeated, since it may not be
/// wanted any more. Instead the session is stored anew as the write found it, so that the write can arrive
/// no more. A session that was to begin is kept from beginning, and begins under another id if it is still
/// wanted.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(super) enum Recovery {
    /// The store is asked whether the write stands.
    Looking,
    /// The session is stored anew as the write found it.
    Fencing(Snapshot),
    /// An empty record is put under the id of a session that was to begin.
    Forestalling,
    /// The store is asked once more, as the write may have arrived between two questions; this is the answer
    /// where it has not.
    LookingAgain(Recovered),
}

/// The outcome of a write whose answer was lost.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(super) enum Recovered {
    Arrived,
    /// It will never arrive; the session stands as this.
    Prevented(Option<Snapshot>),
    /// It may have arrived, and another write came after it.
    Unknown(Stored),
    Gone,
}

impl Recovery {
    pub(super) fn begin(write: &Write) -> (Self, Question) {
        (Self::Looking, Question::Load(write.target.key))
    }

    /// Begins where only the arrival of a first write is to be prevented.
    pub(super) fn forestall(write: &Write, inputs: &mut Inputs<'_>) -> (Self, Question) {
        let placeholder = plan::placeholder(&write.target, inputs);
        let insert = Question::Insert {
            key: placeholder.key,
            new: placeholder.to_stored(),
        };
        (Self::Forestalling, insert)
    }

    pub(super) fn answered(
        &mut self,
        write: &Write,
        reply: Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
    ) -> Step<Recovered> {
        let reply = match reply {
            Ok(Reply::Loaded(found)) => {
                let alive = found.filter(|it| inputs.rules.is_alive(it, inputs.now));
                if alive.as_ref().is_some_and(|alive| write.is_target(alive)) {
                    return Step::Done(Ok(Recovered::Arrived));
                }
                Reply::Loaded(alive)
            }
            Ok(reply) => reply,
            Err(_) => return Step::Done(Err(Refusal::Store)),
        };
        let instead = match (std::mem::replace(self, Self::Looking), reply) {
            (Self::Looking, Reply::Loaded(_)) => return self.prevent(write, inputs),
            (Self::Forestalling, Reply::Did(true)) => {
                return Step::Done(Ok(Recovered::Prevented(None)));
            }
            // An earlier attempt at this may have taken the id, or the write itself.
            (Self::Forestalling, Reply::Did(false)) => Recovered::Prevented(None),
            (Self::Fencing(fence), Reply::Swapped(Swap::Done)) => {
                return Step::Done(Ok(Recovered::Prevented(Some(fence))));
            }
            (Self::Fencing(_), Reply::Swapped(Swap::Gone)) => Recovered::Gone,
            (Self::Fencing(_), Reply::Swapped(Swap::Conflict(standing))) => {
                Recovered::Unknown(standing)
            }
            (Self::LookingAgain(instead), Reply::Loaded(_)) => return Step::Done(Ok(instead)),
            _ => return Step::Done(Err(Refusal::MISMATCH)),
        };
        *self = Self::LookingAgain(instead);
        Step::Ask(Question::Load(write.target.key))
    }

    /// Sees to it that a write which has not arrived never does.
    fn prevent(&mut self, write: &Write, inputs: &mut Inputs<'_>) -> Step<Recovered> {
        let question;
        (*self, question) = match &write.from {
            None => Self::forestall(write, inputs),
            Some(from) => {
                let fence = plan::fence(from, inputs);
                let replace = Question::Replace {
                    key: from.key,
                    expected: from.record.revision,
                    new: fence.to_stored(),
                };
                (Self::Fencing(fence), replace)
            }
        };
        Step::Ask(question)
    }
}
