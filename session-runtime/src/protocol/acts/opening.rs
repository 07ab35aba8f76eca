//! Finds the session that a visitor's tokens open.

use super::plan::Inputs;
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::protocol::state::{Link, Session, Snapshot};
use crate::protocol::words::{Event, Fault, Question, Refusal, Reply, Step};
use crate::token::{Candidate, Candidates};

/// The search for the session of a request. A signature is not a session: each token is asked of the store,
/// and a dead one does not count.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(in crate::protocol) struct Opening {
    asked: Candidate,
    key: StoreKey,
    /// The instant of the question, at which the session has to be alive.
    at: Timestamp,
    left: Candidates,
    are_several: bool,
    /// The sessions that are alive, where there are several tokens.
    alive: Vec<(Snapshot, Candidate)>,
}

impl Opening {
    /// Begins, unless there is no token: then there is no session.
    pub(in crate::protocol) fn begin(
        session: &mut Session,
        mut candidates: Candidates,
        inputs: &Inputs<'_>,
    ) -> Option<(Self, Question)> {
        let are_several = candidates.are_several();
        let Some(asked) = candidates.pop() else {
            session.link = Link::Absent;
            return None;
        };
        let opening = Self {
            asked,
            key: inputs.rules.dialect.key(asked.id),
            at: inputs.now,
            left: candidates,
            are_several,
            alive: Vec::new(),
        };
        let question = opening.question(session, inputs);
        Some((opening, question))
    }

    pub(in crate::protocol) fn answered(
        &mut self,
        session: &mut Session,
        reply: Result<Reply, Fault>,
        inputs: &Inputs<'_>,
    ) -> Step<()> {
        let Ok(Reply::Loaded(found)) = reply else {
            return Step::Done(Err(Refusal::Store));
        };
        let key = self.key;
        let alive = match found {
            Some(stored) if inputs.rules.is_alive(&stored, self.at) => {
                Some((Snapshot::new(self.asked.id, key, stored), self.asked))
            }
            Some(_) => {
                session.news.push(Event::Expired(key));
                None
            }
            None => {
                session.news.push(Event::NotFound(key));
                None
            }
        };
        if !self.are_several {
            open(session, alive);
            return Step::Done(Ok(()));
        }
        self.alive.extend(alive);
        if let Some(next) = self.left.pop() {
            (self.asked, self.at) = (next, inputs.now);
            self.key = inputs.rules.dialect.key(next.id);
            return Step::Ask(self.question(session, inputs));
        }
        if self.alive.len() > 1 {
            // Nobody can tell which one is meant.
            session.rivals = self.alive.iter().map(|(it, _)| it.key).collect();
            session.news.push(Event::Ambiguous);
            self.alive.clear();
        }
        open(session, self.alive.pop());
        Step::Done(Ok(()))
    }

    fn question(&self, session: &Session, inputs: &Inputs<'_>) -> Question {
        let key = self.key;
        // Of several tokens most open nothing, and two that do are not used: no end moves yet.
        if self.are_several || session.has_former_cookie || inputs.rules.touches_late() {
            Question::Load(key)
        } else {
            Question::LoadAndTouch(key)
        }
    }
}

/// Takes the one session that is alive, if there is one.
fn open(session: &mut Session, alive: Option<(Snapshot, Candidate)>) {
    session.link = match alive {
        Some((snapshot, candidate)) => {
            session.came_with_one = true;
            session.owes_token = candidate.is_stale;
            Link::Stored(snapshot)
        }
        None => Link::Absent,
    };
}
