//! Carries out the calls of a request, one question to the store after another. Each call is a chain of
//! methods that end in a step; `Doing` says which reply the chain waits for.

use std::mem;

use super::acts::opening::Opening;
use super::acts::plan::Inputs;
use super::acts::removal::Removal;
use super::acts::revoke::{Revocation, Which};
use super::acts::storing::{Goal, Storing};
use super::outcome;
use super::rules::Rolling;
use super::state::{End, Link, Moved, Pending, Phase, Session};
use super::words::{Call, Done, Event, Fault, Question, Refusal, Reply, Step};
use crate::data::Change;
use crate::expiry::Timestamp;
use crate::record::OwnerKey;
use crate::token::Candidates;

/// The session of a request, and the call that is being carried out.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) struct Machine {
    pub(crate) session: Session,
    doing: Option<(Call, Doing)>,
}

/// The part of a call that waits for a reply.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
enum Doing {
    Opening(Opening),
    /// A revocation of others stores its own session before and after it sets marks: these are set already.
    Storing(Storing, Option<Marks>),
    Touching {
        /// The request has asked for it: a failure is an error.
        is_asked: bool,
    },
    Removing(Box<Removal>),
    Marking(Marks),
    /// The session was revoked by somebody else: it ends now.
    EndingOwn,
    Revoking(Box<Revocation>),
}

/// The marks that a revocation sets.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
struct Marks {
    /// The sign-ins to mark, the next one last; `None` where the mark is set whoever has set another.
    left: Vec<(OwnerKey, Option<Timestamp>)>,
    set: Vec<(OwnerKey, Which)>,
}

type Next = Step<Done>;

/// The methods that the driver calls.
impl Machine {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            doing: None,
        }
    }

    /// Returns `true` while a call is being carried out: another one waits.
    pub(crate) fn is_busy(&self) -> bool {
        self.doing.is_some()
    }

    /// Takes the events since the last step.
    pub(crate) fn news(&mut self) -> Vec<Event> {
        mem::take(&mut self.session.news)
    }

    /// Begins a call.
    pub(crate) fn begin(&mut self, mut call: Call, inputs: &mut Inputs<'_>) -> Next {
        match &mut call {
            Call::Open(candidates) => {
                let candidates = mem::take(candidates);
                if self.session.began == Timestamp::default() {
                    self.session.began = inputs.now;
                }
                self.open(call, candidates, inputs)
            }
            Call::Commit {
                unopened,
                is_dropped,
                ..
            } => {
                self.session.phase = Phase::Committing;
                if *is_dropped {
                    self.session.drop_changes();
                }
                match unopened.take() {
                    Some(candidates) => self.open(call, candidates, inputs),
                    None => self.commit(call, inputs),
                }
            }
            Call::Save | Call::Update if self.session.has_ended() => {
                self.fail(&call, Refusal::Gone, inputs)
            }
            Call::Save => self.store(call, Goal::Store, None, inputs),
            // Where nobody has signed in, nothing is stored either.
            Call::RevokeOthers => match self.session.own_sign_ins() {
                Ok(_) => self.store(call, Goal::Store, None, inputs),
                Err(refusal) => self.fail(&call, refusal, inputs),
            },
            Call::Update => self.store(call, Goal::Update, None, inputs),
            // A touch compares with the newest revision too: another request may have written since.
            Call::Load | Call::Reload | Call::Touch => self.store(call, Goal::Read, None, inputs),
            Call::Destroy => self.remove(call, inputs),
            Call::RevokeAll { owner, by_request } => {
                let since = by_request.then(|| self.session.since(*owner));
                let marks = Marks {
                    left: vec![(*owner, since)],
                    set: Vec::new(),
                };
                self.mark(call, marks, inputs)
            }
            Call::RevokeOne { owner, session } => {
                let which = Which::One(*session);
                let owners = match owner {
                    Some(owner) => Ok(vec![(*owner, which)]),
                    None => self.session.own_sign_ins().map(|owners| {
                        let owners = owners.into_iter();
                        owners.map(|(owner, _)| (owner, which)).collect()
                    }),
                };
                match owners {
                    Ok(owners) => self.revoke(call, owners),
                    Err(refusal) => self.fail(&call, refusal, inputs),
                }
            }
        }
    }

    /// Takes the store's reply to the last question.
    pub(crate) fn answered(
        &mut self,
        reply: Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        let Some((call, doing)) = self.doing.take() else {
            return Step::Done(Err(Refusal::MISMATCH));
        };
        let session = &mut self.session;
        match (doing, reply) {
            (Doing::Opening(mut opening), reply) => {
                match opening.answered(session, reply, inputs) {
                    Step::Ask(question) => self.ask(call, Doing::Opening(opening), question),
                    Step::Done(Err(refusal)) => self.fail(&call, refusal, inputs),
                    _ => self.opened(call, inputs),
                }
            }
            (Doing::Storing(mut storing, marks), reply) => {
                let step = storing.answered(session, reply, inputs);
                self.storing(call, storing, marks, step, inputs)
            }
            (Doing::Touching { is_asked }, reply) => self.touched(&call, is_asked, &reply, inputs),
            (Doing::Removing(mut removal), reply) => {
                match removal.answered(&session.link, reply, inputs, &mut session.news) {
                    Step::Ask(question) => self.ask(call, Doing::Removing(removal), question),
                    Step::Done(Ok(was_there)) => self.removed(&call, was_there, inputs),
                    Step::Done(Err(refusal)) => self.fail(&call, refusal, inputs),
                    _ => self.fail(&call, Refusal::MISMATCH, inputs),
                }
            }
            (Doing::Marking(marks), Ok(Reply::Mark(mark))) => {
                self.marked(call, marks, mark, inputs)
            }
            (Doing::EndingOwn, Ok(Reply::Did(was_there))) => {
                if was_there {
                    session.news.extend(session.key().map(Event::Revoked));
                    session.end(End::Here);
                } else {
                    session.lose("its changes were stored");
                }
                self.fail(&call, Refusal::Gone, inputs)
            }
            (Doing::Revoking(mut revocation), reply) => {
                match revocation.answered(session, reply, inputs) {
                    Step::Ask(question) => self.ask(call, Doing::Revoking(revocation), question),
                    Step::Done(Ok(count)) => Step::Done(Ok(Done::Ended(count))),
                    Step::Done(Err(refusal)) => self.fail(&call, refusal, inputs),
                    _ => self.fail(&call, Refusal::MISMATCH, inputs),
                }
            }
            (_, Err(_)) => self.fail(&call, Refusal::Store, inputs),
            (_, Ok(_)) => self.fail(&call, Refusal::MISMATCH, inputs),
        }
    }

    /// Takes what the caller's closure has made of the fields.
    pub(crate) fn ran(
        &mut self,
        changes: Result<Vec<Change>, Refusal>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        let Some((call, Doing::Storing(mut storing, marks))) = self.doing.take() else {
            return Step::Done(Err(Refusal::MISMATCH));
        };
        let step = storing.ran(&mut self.session, changes, inputs);
        self.storing(call, storing, marks, step, inputs)
    }

    /// Goes on after a pause, or at the head of the line.
    pub(crate) fn resumed(&mut self, inputs: &mut Inputs<'_>) -> Next {
        let Some((call, Doing::Storing(mut storing, marks))) = self.doing.take() else {
            return Step::Done(Err(Refusal::MISMATCH));
        };
        let step = storing.plan(&mut self.session, inputs);
        self.storing(call, storing, marks, step, inputs)
    }

    /// The caller has gone away: nobody waits for the call any more.
    pub(crate) fn abandoned(&mut self) {
        self.doing = None;
    }

    fn ask(&mut self, call: Call, doing: Doing, question: Question) -> Next {
        self.doing = Some((call, doing));
        Step::Ask(question)
    }
}

/// Opening, storing and touching.
impl Machine {
    fn open(&mut self, call: Call, candidates: Candidates, inputs: &mut Inputs<'_>) -> Next {
        if self.session.is_read() {
            return self.opened(call, inputs);
        }
        match Opening::begin(&mut self.session, candidates, inputs) {
            Some((opening, question)) => self.ask(call, Doing::Opening(opening), question),
            None => self.opened(call, inputs),
        }
    }

    fn opened(&mut self, call: Call, inputs: &mut Inputs<'_>) -> Next {
        match call {
            Call::Commit { .. } => self.commit(call, inputs),
            _ => Step::Done(Ok(Done::Plain)),
        }
    }

    fn store(
        &mut self,
        call: Call,
        goal: Goal,
        marks: Option<Marks>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        let (storing, step) = Storing::begin(&mut self.session, goal, inputs);
        self.storing(call, storing, marks, step, inputs)
    }

    fn storing(
        &mut self,
        call: Call,
        storing: Storing,
        marks: Option<Marks>,
        step: Step<()>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        let step = match step {
            Step::Done(Ok(())) => return self.stored(call, marks, inputs),
            Step::Done(Err(refusal)) => return self.fail(&call, refusal, inputs),
            Step::Ask(question) => Step::Ask(question),
            Step::Run(fields) => Step::Run(fields),
            Step::Pause(longest) => Step::Pause(longest),
            Step::Queue(key) => Step::Queue(key),
        };
        self.doing = Some((call, Doing::Storing(storing, marks)));
        step
    }

    /// The visit to the store has ended well.
    fn stored(&mut self, call: Call, marks: Option<Marks>, inputs: &mut Inputs<'_>) -> Next {
        match (&call, marks) {
            (Call::RevokeOthers, Some(marks)) => self.revoke(call, marks.set),
            (Call::RevokeOthers, None) => match self.session.own_sign_ins() {
                Ok(sign_ins) => {
                    let left = sign_ins.into_iter().rev();
                    let marks = Marks {
                        left: left.map(|(owner, since)| (owner, Some(since))).collect(),
                        set: Vec::new(),
                    };
                    self.mark(call, marks, inputs)
                }
                Err(refusal) => self.fail(&call, refusal, inputs),
            },
            (
                Call::Commit {
                    is_dropped: true, ..
                },
                _,
            ) => self.finish(&call, None, inputs),
            (Call::Save | Call::Update, _) if self.session.is_to_end() => {
                self.fail(&call, Refusal::Gone, inputs)
            }
            (Call::Save, _) => Step::Done(Ok(Done::Plain)),
            _ => {
                if matches!(call, Call::Reload) {
                    self.session.drop_changes();
                }
                self.touch(call, inputs)
            }
        }
    }

    /// Moves the session's end where nothing else has moved it, and it is time.
    fn touch(&mut self, call: Call, inputs: &mut Inputs<'_>) -> Next {
        let rules = inputs.rules;
        let session = &self.session;
        let Some(snapshot) = session.link.stored() else {
            return match call {
                Call::Touch => self.fail(&call, Refusal::Gone, inputs),
                _ => self.end(&call, inputs),
            };
        };
        let is_due = || rules.touch_due(snapshot, inputs.now);
        let (is_asked, touches) = match call {
            Call::Commit { .. } => {
                let wants_it = session.pending.changes().is_some_and(|it| it.touch);
                // A token that is signed anew must not go out for a session that has ended meanwhile.
                let is_asked = wants_it || session.owes_token;
                let always = is_asked || rules.rolling == Rolling::EveryResponse;
                (
                    is_asked,
                    session.moved < Moved::Again && (always || is_due()),
                )
            }
            Call::Touch => (true, true),
            // Once the response is on its way, each use counts by itself.
            _ => (false, session.phase == Phase::Sent && is_due()),
        };
        if !touches {
            return self.end(&call, inputs);
        }
        let question = Question::Touch {
            key: snapshot.key,
            expected: snapshot.record.revision,
            expires: rules.deadline(&snapshot.record, inputs.now),
        };
        self.ask(call, Doing::Touching { is_asked }, question)
    }

    fn touched(
        &mut self,
        call: &Call,
        is_asked: bool,
        reply: &Result<Reply, Fault>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        match reply {
            Ok(Reply::Did(true)) => {
                let (rules, now) = (inputs.rules, inputs.now);
                self.session.touched(|record| rules.deadline(record, now));
                self.end(call, inputs)
            }
            Ok(Reply::Did(false)) => {
                self.session.lose("it was touched");
                match call {
                    Call::Commit { .. } => self.finish(call, None, inputs),
                    _ => self.fail(call, Refusal::Gone, inputs),
                }
            }
            // A request that only read has lost nothing: the session ends when it would have.
            Err(Fault::Refused) if !is_asked => self.end(call, inputs),
            _ => self.fail(call, Refusal::Store, inputs),
        }
    }
}

/// Ending a request.
impl Machine {
    fn commit(&mut self, call: Call, inputs: &mut Inputs<'_>) -> Next {
        let session = &self.session;
        if matches!(session.link, Link::Ended(End::Here)) {
            return self.finish(&call, None, inputs);
        }
        if session.is_to_end() {
            return self.remove(call, inputs);
        }
        if matches!(
            call,
            Call::Commit {
                is_dropped: true,
                ..
            }
        ) {
            // A write whose answer was lost may have given the session another id. It is settled, so that
            // the visitor has a token of the id that stands.
            return match &session.link {
                Link::Writing(write) if write.has_new_id() => {
                    self.store(call, Goal::Settle, None, inputs)
                }
                _ => self.finish(&call, None, inputs),
            };
        }
        match self.prepare(inputs) {
            // Most requests only read.
            Ok(()) if self.session.is_settled() => self.touch(call, inputs),
            Ok(()) => self.store(call, Goal::Store, None, inputs),
            Err(refusal) => self.fail(&call, refusal, inputs),
        }
    }

    /// Refuses what cannot be stored, and notes what is stored unmodified: `resave` and
    /// `save_uninitialized`.
    fn prepare(&mut self, inputs: &Inputs<'_>) -> Result<(), Refusal> {
        let session = &mut self.session;
        if let Some(lent) = session.outstanding() {
            let lent = lent.clone();
            let refusal = Refusal::Lent(lent.name);
            let event = Event::StillLent(session.key(), lent);
            session.news.push(event);
            return Err(refusal);
        }
        if let Some(missed) = &session.missed {
            return Err(missed.clone());
        }
        let is_absent = matches!(session.link, Link::Absent);
        let is_stored = session.link.stored().is_some();
        let Pending::Store(pending) = &mut session.pending else {
            return Ok(());
        };
        pending.force = if is_stored {
            inputs.rules.resave && session.moved != Moved::Write
        } else {
            // Not if the store could not say whether the visitor has a session.
            inputs.rules.save_uninitialized && is_absent && session.rivals.is_empty()
        };
        if pending.renew && !is_stored && pending.changes.is_empty() {
            session.news.push(Event::NothingToRenew);
        }
        Ok(())
    }

    /// Removes the session, and all that the visitor's tokens open beside it.
    fn remove(&mut self, call: Call, inputs: &mut Inputs<'_>) -> Next {
        let session = &self.session;
        // Another request has moved the session, or has ended it: its visitor may be signed in still.
        if matches!(session.link, Link::Ended(End::Elsewhere)) {
            return self.vanished(&call, inputs);
        }
        match Removal::of_all(&session.link, &session.rivals, inputs) {
            Some((removal, question)) => {
                self.ask(call, Doing::Removing(Box::new(removal)), question)
            }
            None => self.removed(&call, false, inputs),
        }
    }

    fn removed(&mut self, call: &Call, was_there: bool, inputs: &mut Inputs<'_>) -> Next {
        let session = &mut self.session;
        session.rivals.clear();
        if was_there {
            session.end(End::Here);
        } else if session.key().is_some() {
            session.lose("it was destroyed");
            return self.vanished(call, inputs);
        }
        self.end(call, inputs)
    }

    /// A session that was to end is not there. The response says so, whatever the handler answers.
    fn vanished(&mut self, call: &Call, inputs: &mut Inputs<'_>) -> Next {
        match call {
            Call::Commit { .. } => self.finish(call, Some(Refusal::Gone), inputs),
            _ => self.fail(call, Refusal::Gone, inputs),
        }
    }

    /// The call has ended well.
    fn end(&mut self, call: &Call, inputs: &Inputs<'_>) -> Next {
        match call {
            Call::Commit { .. } => self.finish(call, None, inputs),
            Call::Destroy => {
                self.session.close();
                Step::Done(Ok(Done::Plain))
            }
            _ => Step::Done(Ok(Done::Plain)),
        }
    }

    fn fail(&mut self, call: &Call, refusal: Refusal, inputs: &Inputs<'_>) -> Next {
        match call {
            Call::Commit {
                is_dropped: true, ..
            } if !self.session.is_to_end() => {
                // The response says already that nothing was stored.
                if let Link::Writing(_) = self.session.link {
                    let event = Event::InDoubt(self.session.key(), refusal);
                    self.session.news.push(event);
                }
                self.finish(call, None, inputs)
            }
            Call::Commit { .. } => self.finish(call, Some(refusal), inputs),
            Call::Destroy => {
                self.session.close();
                Step::Done(Err(refusal))
            }
            _ => Step::Done(Err(refusal)),
        }
    }

    /// Ends a commit: nothing is stored by it from here on.
    fn finish(&mut self, call: &Call, instead: Option<Refusal>, inputs: &Inputs<'_>) -> Next {
        let by_cookie = matches!(
            call,
            Call::Commit {
                by_cookie: true,
                ..
            }
        );
        let session = &mut self.session;
        session.close();
        let token = outcome::token(session, inputs.rules, by_cookie, instead.is_none());
        Step::Done(Ok(Done::Response { token, instead }))
    }
}

/// Ending sessions of owners.
impl Machine {
    /// Marks that all which these owners began up to now is revoked.
    fn mark(&mut self, call: Call, marks: Marks, inputs: &mut Inputs<'_>) -> Next {
        let Some((owner, since)) = marks.left.last().copied() else {
            return match call {
                // From here on this session counts as signed in after the marks.
                Call::RevokeOthers => {
                    if let Some(pending) = self.session.pending.changes_mut() {
                        pending.affirm = true;
                    }
                    self.store(call, Goal::Store, Some(marks), inputs)
                }
                _ => self.revoke(call, marks.set),
            };
        };
        let question = Question::Mark {
            owner,
            // As long as a session may live: no request that signs in is expected to take longer.
            until: inputs.now.plus(inputs.rules.lifetime.absolute),
            since,
        };
        self.ask(call, Doing::Marking(marks), question)
    }

    fn marked(
        &mut self,
        call: Call,
        mut marks: Marks,
        mark: Option<Timestamp>,
        inputs: &mut Inputs<'_>,
    ) -> Next {
        let Some((owner, since)) = marks.left.pop() else {
            return self.fail(&call, Refusal::MISMATCH, inputs);
        };
        match (mark, since) {
            (Some(mark), since) => {
                marks.set.push((owner, Which::Until(mark)));
                if since.is_some() {
                    self.session.begin_after(owner, mark);
                }
            }
            (None, Some(_)) if matches!(call, Call::RevokeOthers) => {
                return self.end_own(call, inputs);
            }
            // Somebody has revoked this request's own sign-in. The owner's sessions end all the same.
            (None, Some(_)) => marks.left.push((owner, None)),
            (None, None) => {
                let what = "the store set no mark, though nothing forbade it";
                return self.fail(&call, Refusal::Broken(what), inputs);
            }
        }
        self.mark(call, marks, inputs)
    }

    /// Somebody has revoked this session, and it is still there.
    fn end_own(&mut self, call: Call, inputs: &mut Inputs<'_>) -> Next {
        match self.session.key() {
            Some(key) => self.ask(call, Doing::EndingOwn, Question::Remove(key)),
            None => self.fail(&call, Refusal::Gone, inputs),
        }
    }

    fn revoke(&mut self, call: Call, owners: Vec<(OwnerKey, Which)>) -> Next {
        match Revocation::begin(owners) {
            Some((revocation, question)) => {
                self.ask(call, Doing::Revoking(Box::new(revocation)), question)
            }
            None => Step::Done(Ok(Done::Ended(0))),
        }
    }
}
