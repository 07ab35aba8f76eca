//! Ends sessions of owners: all that were begun up to a mark, or one by its public handle.

use super::plan::Inputs;
use crate::expiry::Timestamp;
use crate::id::{PublicId, StoreKey};
use crate::protocol::state::{End, Session};
use crate::protocol::words::{Event, Fault, Question, Refusal, Reply, Step};
use crate::record::OwnerKey;

/// The end of sessions of some owners, one owner after another.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(in crate::protocol) struct Revocation {
    /// The next one last.
    owners: Vec<(OwnerKey, Which)>,
    /// The sessions of the owner at hand that are still to end, the next one last.
    left: Vec<StoreKey>,
    count: usize,
    has_failed: bool,
}

/// Which sessions of an owner end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(in crate::protocol) enum Which {
    /// Those that the owner began up to this mark.
    Until(Timestamp),
    /// The one of this handle.
    One(PublicId),
}

impl Revocation {
    /// Begins, where there is an owner.
    pub(in crate::protocol) fn begin(
        mut owners: Vec<(OwnerKey, Which)>,
    ) -> Option<(Self, Question)> {
        owners.reverse();
        let (first, _) = *owners.last()?;
        let revocation = Self {
            owners,
            left: Vec::new(),
            count: 0,
            has_failed: false,
        };
        Some((revocation, Question::OwnedBy(first)))
    }

    /// Ends with how many sessions were ended. A session that cannot be ended holds up no other.
    pub(in crate::protocol) fn answered(
        &mut self,
        session: &mut Session,
        reply: Result<Reply, Fault>,
        inputs: &Inputs<'_>,
    ) -> Step<usize> {
        match reply {
            Err(_) => self.has_failed = true,
            Ok(Reply::Owned(sessions)) => {
                let Some((owner, which)) = self.owners.last() else {
                    return Step::Done(Ok(self.count));
                };
                let listed = sessions.into_iter().filter(|(key, stored)| {
                    let ends = match which {
                        Which::Until(mark) => stored.record.owners.since(*owner) <= Some(*mark),
                        Which::One(handle) => key.public() == *handle,
                    };
                    ends && inputs.rules.is_alive(stored, inputs.now)
                });
                self.left = listed.map(|(key, _)| key).collect();
                self.left.reverse();
                return self.next();
            }
            Ok(Reply::Did(was_there)) => {
                if let Some(key) = self.left.last().filter(|_| was_there) {
                    session.news.push(Event::Revoked(*key));
                    self.count += 1;
                    if session.key() == Some(*key) {
                        session.end(End::Here);
                    }
                }
            }
            Ok(_) => return Step::Done(Err(Refusal::MISMATCH)),
        }
        self.left.pop();
        self.next()
    }

    fn next(&mut self) -> Step<usize> {
        if let Some(next) = self.left.last() {
            return Step::Ask(Question::Remove(*next));
        }
        let done = self.owners.pop();
        let has_found = matches!(done, Some((_, Which::One(_)))) && self.count > 0;
        match self.owners.last() {
            Some((owner, _)) if !has_found => Step::Ask(Question::OwnedBy(*owner)),
            _ if self.has_failed => Step::Done(Err(Refusal::Store)),
            _ => Step::Done(Ok(self.count)),
        }
    }
}
