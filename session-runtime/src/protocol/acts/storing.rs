//! Brings what is pending into the store: settles an earlier write, reads, plans, writes, and tries again where
//! another request was faster.

use std::time::Duration;

use super::admission::{self, Admission};
use super::plan::{self, Inputs};
use super::recover::{Recovered, Recovery};
use super::removal::Removal;
use crate::data::Change;
use crate::protocol::state::{Link, Phase, Session, Snapshot};
use crate::protocol::words::{Event, Fault, Question, Refusal, Reply, Step};
use crate::record::OwnerKey;
use crate::store::{Stored, Swap};

/// How often a write is tried while others write the same session.
const ATTEMPTS: u32 = 64;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(128);

/// One visit to the store, as far as it has come.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(in crate::protocol) struct Storing {
    goal: Goal,
    /// How many writes have met a conflict.
    conflicts: u32,
    waits_for: Waits,
}

/// How far a visit to the store goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Hash))]
pub(in crate::protocol) enum Goal {
    /// It settles a write whose answer was lost.
    Settle,
    /// It reads the newest fields too.
    Read,
    /// It stores what is pending.
    Store,
    /// It reads, and stores what is pending and what the caller's closure makes of the fields.
    Update,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
enum Waits {
    // Boxed, as all that is rare: each request has room for it.
    Recovery(Box<Recovery>),
    /// A load of the newest fields.
    Load,
    /// The caller's closure.
    Closure,
    /// The sessions of these owners are counted, one after another.
    Room {
        left: Vec<OwnerKey>,
        last: Vec<Change>,
    },
    Write,
    /// A pause, or the line of those who write this session.
    Turn,
    Admission {
        admission: Admission,
        /// The write has arrived unseen, and what is pending is still to be stored.
        was_lost: bool,
    },
    Rivals {
        removal: Box<Removal>,
        was_lost: bool,
    },
}

impl Storing {
    pub(in crate::protocol) fn begin(
        session: &mut Session,
        goal: Goal,
        inputs: &mut Inputs<'_>,
    ) -> (Self, Step<()>) {
        let mut storing = Self {
            goal,
            conflicts: 0,
            waits_for: Waits::Turn,
        };
        let step = match &session.link {
            Link::Writing(write) => {
                let (recovery, question) = Recovery::begin(write);
                storing.waits_for = Waits::Recovery(Box::new(recovery));
                session
                    .writable()
                    .map_or_else(|gone| Step::Done(Err(gone)), |()| Step::Ask(question))
            }
            _ => storing.settled(session, inputs),
        };
        (storing, step)
    }

    pub(in crate::protocol) fn answered(
        &mut self,
        session: &mut Session,
        reply: Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        match (&mut self.waits_for, reply) {
            (Waits::Recovery(recovery), reply) => {
                let Link::Writing(write) = &session.link else {
                    return self.settled(session, inputs);
                };
                match recovery.answered(write, reply, inputs) {
                    Step::Ask(question) => Step::Ask(question),
                    Step::Done(Ok(recovered)) => self.recovered(session, recovered, inputs),
                    Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
                    _ => Step::Done(Err(Refusal::MISMATCH)),
                }
            }
            (Waits::Load, Ok(Reply::Loaded(found))) => self.read(session, found, inputs),
            (Waits::Room { left, last }, reply) => {
                match admission::check_room(reply, inputs.rules, inputs.now) {
                    Ok(()) => {
                        let (left, last) = (std::mem::take(left), std::mem::take(last));
                        self.make_room(session, left, last, inputs)
                    }
                    Err(refusal) => {
                        if matches!(refusal, Refusal::TooManySessions { .. }) {
                            session.drop_changes();
                        }
                        Step::Done(Err(refusal))
                    }
                }
            }
            (Waits::Write, reply) => self.written(session, reply, inputs),
            (
                Waits::Admission {
                    admission,
                    was_lost,
                },
                reply,
            ) => {
                let Link::Writing(write) = &session.link else {
                    return Step::Done(Ok(()));
                };
                match admission.answered(write, reply, inputs, &mut session.news) {
                    Step::Done(Ok(())) => {
                        let was_lost = *was_lost;
                        self.adopt(session, was_lost, inputs)
                    }
                    Step::Done(Err(refusal)) => lose(session, refusal),
                    step => step,
                }
            }
            (Waits::Rivals { removal, was_lost }, reply) => {
                match removal.answered(&session.link, reply, inputs, &mut session.news) {
                    Step::Ask(question) => Step::Ask(question),
                    Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
                    _ => {
                        let was_lost = *was_lost;
                        session.rivals.clear();
                        self.arrived(session, was_lost, inputs)
                    }
                }
            }
            (_, Err(_)) => Step::Done(Err(Refusal::Store)),
            (_, Ok(_)) => Step::Done(Err(Refusal::MISMATCH)),
        }
    }

    /// Takes what the caller's closure has made of the fields.
    pub(in crate::protocol) fn ran(
        &mut self,
        session: &mut Session,
        changes: Result<Vec<Change>, Refusal>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        match changes {
            Ok(last) => self.count(session, last, inputs),
            Err(refusal) => Step::Done(Err(refusal)),
        }
    }

    /// Plans a write, once the caller's closure has run.
    pub(in crate::protocol) fn plan(
        &mut self,
        session: &mut Session,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        if self.goal == Goal::Update {
            self.waits_for = Waits::Closure;
            return Step::Run(session.fields());
        }
        self.count(session, Vec::new(), inputs)
    }

    fn recovered(
        &mut self,
        session: &mut Session,
        recovered: Recovered,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        match recovered {
            Recovered::Arrived => self.admit(session, true, inputs),
            Recovered::Prevented(fence) => {
                session.take_back(fence);
                self.settled(session, inputs)
            }
            Recovered::Unknown(standing) => {
                session.give_up(standing);
                Step::Done(Err(Refusal::Contended))
            }
            Recovered::Gone => lose(session, Refusal::Gone),
        }
    }

    /// No earlier write is in doubt.
    fn settled(&mut self, session: &mut Session, inputs: &mut Inputs<'_>) -> Step<()> {
        match self.goal {
            Goal::Settle => Step::Done(Ok(())),
            Goal::Store => self.plan(session, inputs),
            Goal::Read | Goal::Update => {
                if let Err(refusal) = session.writable() {
                    return Step::Done(Err(refusal));
                }
                let Some(key) = session.key() else {
                    return self.has_read(session, inputs);
                };
                self.waits_for = Waits::Load;
                // Before the response goes, the commit moves the end.
                Step::Ask(if session.phase == Phase::Sent {
                    Question::LoadAndTouch(key)
                } else {
                    Question::Load(key)
                })
            }
        }
    }

    fn read(
        &mut self,
        session: &mut Session,
        found: Option<Stored>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        let alive = found.filter(|stored| inputs.rules.is_alive(stored, inputs.now));
        let place = session.link.stored().map(|stored| (stored.id, stored.key));
        match (alive, place) {
            (Some(stored), Some((id, key))) => {
                session.link = Link::Stored(Snapshot::new(id, key, stored));
                session.generation += 1;
                self.has_read(session, inputs)
            }
            _ => lose(session, Refusal::Gone),
        }
    }

    fn has_read(&mut self, session: &mut Session, inputs: &mut Inputs<'_>) -> Step<()> {
        if self.goal == Goal::Update {
            self.plan(session, inputs)
        } else {
            Step::Done(Ok(()))
        }
    }

    /// Counts the sessions of new owners where a sign-in may be one too many.
    fn count(
        &mut self,
        session: &mut Session,
        last: Vec<Change>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        let owners = admission::counted(inputs.rules, || {
            let before = session.link.stored().map(|stored| &stored.record.owners);
            let is_new = |owner: &OwnerKey| before.is_none_or(|it| it.since(*owner).is_none());
            session.owners(&last).keys().filter(is_new).collect()
        });
        self.make_room(session, owners, last, inputs)
    }

    fn make_room(
        &mut self,
        session: &mut Session,
        mut left: Vec<OwnerKey>,
        last: Vec<Change>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        if let Some(next) = left.pop() {
            self.waits_for = Waits::Room { left, last };
            return Step::Ask(Question::OwnedBy(next));
        }
        match plan::plan(session, &last, inputs) {
            Ok(None) => {
                session.nothing_to_store();
                Step::Done(Ok(()))
            }
            Ok(Some(write)) => {
                let question = write.question();
                session.begin(write);
                self.waits_for = Waits::Write;
                Step::Ask(question)
            }
            Err(Refusal::EndIsPast) => {
                session.news.push(Event::EndIsPast);
                lose(session, Refusal::Gone)
            }
            Err(refusal) => Step::Done(Err(refusal)),
        }
    }

    fn written(
        &mut self,
        session: &mut Session,
        reply: Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        match reply {
            Ok(Reply::Did(true) | Reply::Swapped(Swap::Done)) => self.admit(session, false, inputs),
            Ok(Reply::Swapped(Swap::Conflict(standing))) => self.met(session, standing, inputs),
            Ok(Reply::Swapped(Swap::Gone)) => lose(session, Refusal::Gone),
            // Nobody can tell whether an earlier attempt of the store's own has taken the key.
            Ok(Reply::Did(false)) => Step::Done(Err(Refusal::Taken)),
            Ok(_) => Step::Done(Err(Refusal::MISMATCH)),
            Err(fault) => {
                if fault == Fault::Refused {
                    session.take_back(None);
                }
                Step::Done(Err(Refusal::Store))
            }
        }
    }

    /// Another write was faster: merge, and try again.
    fn met(
        &mut self,
        session: &mut Session,
        standing: Stored,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        let Link::Writing(write) = &session.link else {
            return Step::Done(Err(Refusal::MISMATCH));
        };
        let expected = write.from.as_ref().map(|from| from.record.revision);
        let broken = if expected == Some(standing.record.revision) {
            Some("a conflict with the revision that was expected")
        } else if write.is_target(&standing) {
            Some("a conflict with the write itself")
        } else {
            None
        };
        if let Some(broken) = broken {
            session.news.push(Event::Broken(write.target.key, broken));
            return Step::Done(Err(Refusal::Broken(broken)));
        }
        session.meet(standing);
        self.conflicts += 1;
        self.waits_for = Waits::Turn;
        match (self.conflicts, session.key()) {
            (ATTEMPTS.., key) => {
                session.news.push(Event::Contended(key, ATTEMPTS));
                Step::Done(Err(Refusal::Contended))
            }
            // If all writers tried at once, one of them would succeed in each round trip.
            (1, Some(key)) => Step::Queue(key),
            (conflicts, _) => match longest_pause(conflicts) {
                Some(longest) => Step::Pause(longest),
                None => self.plan(session, inputs),
            },
        }
    }

    /// A write has arrived: checks that its owners may have the session.
    fn admit(
        &mut self,
        session: &mut Session,
        was_lost: bool,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        if let Link::Writing(write) = &session.link
            && let Some((admission, question)) = Admission::begin(write)
        {
            self.waits_for = Waits::Admission {
                admission,
                was_lost,
            };
            return Step::Ask(question);
        }
        self.adopt(session, was_lost, inputs)
    }

    fn adopt(
        &mut self,
        session: &mut Session,
        was_lost: bool,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        let signs_in = matches!(&session.link, Link::Writing(write) if write.signs_in);
        session.adopt();
        if signs_in && let Some((removal, question)) = Removal::of_rivals(&session.rivals) {
            let removal = Box::new(removal);
            self.waits_for = Waits::Rivals { removal, was_lost };
            return Step::Ask(question);
        }
        self.arrived(session, was_lost, inputs)
    }

    fn arrived(
        &mut self,
        session: &mut Session,
        was_lost: bool,
        inputs: &mut Inputs<'_>,
    ) -> Step<()> {
        if was_lost {
            self.settled(session, inputs)
        } else {
            Step::Done(Ok(()))
        }
    }
}

/// The session has vanished: what is pending can never be stored.
pub(in crate::protocol) fn lose(session: &mut Session, refusal: Refusal) -> Step<()> {
    session.lose("its changes were stored");
    Step::Done(Err(refusal))
}

/// The first retries follow at once. After them every second one waits a random while, which grows, so that
/// writers come apart. The retry after a pause learns what stands there, and the one that follows it at once is
/// likely to succeed.
fn longest_pause(conflicts: u32) -> Option<Duration> {
    let late = conflicts.checked_sub(3).filter(|late| late % 2 == 0)?;
    Some(LONGEST_PAUSE.min(Duration::from_millis(1 << (late / 2).min(10))))
}
