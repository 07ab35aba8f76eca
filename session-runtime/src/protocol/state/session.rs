//! The session of one request, as a value; every transition is one method, none asks the store.

use std::mem;
use std::time::Duration;

use super::link::{End, Link, Snapshot, Write};
use super::pending::{Idle, Pending, Wanted};
use super::views::{Lent, Place, Reader, Ticket, Views};
use crate::data::{self, Change, Shape, Unstorable};
use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::protocol::words::{Event, Refusal};
use crate::record::{Fields, OwnerKey, Owners, Record};
use crate::store::Stored;

/// The session of one request.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) struct Session {
    pub(crate) link: Link,
    pub(crate) phase: Phase,
    pub(crate) pending: Pending,
    /// How many changes were handed over before those that are pending.
    taken_up: usize,
    views: Views,
    /// How often what a reader sees has changed.
    pub(crate) generation: u32,
    /// Why changes that were handed over are not stored: the response says so.
    pub(crate) missed: Option<Refusal>,
    pub(crate) moved: Moved,
    /// The visitor's token does not open the session as it is stored now.
    pub(crate) owes_token: bool,
    /// The visitor has a cookie of a former scope: it is replaced when the session is touched.
    pub(crate) has_former_cookie: bool,
    /// The request came with a session.
    pub(crate) came_with_one: bool,
    /// Other live sessions that the visitor's tokens open. A sign-in or an end ends them too.
    pub(crate) rivals: Vec<StoreKey>,
    /// The instant at which the session was first asked for; a sign-in counts from there.
    pub(crate) began: Timestamp,
    /// The owners whose sessions this request has revoked: for them it counts as begun just after its mark.
    began_anew: Vec<(OwnerKey, Timestamp)>,
    /// The idle timeout of its own with which a session of this request begins.
    pub(crate) initial_idle: Option<Duration>,
    /// How many writes were begun.
    begun: u32,
    /// The number of the last write that is known to be stored.
    adopted: u32,
    /// The events that the driver has not logged yet.
    pub(crate) news: Vec<Event>,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Phase {
    /// The handler runs.
    #[default]
    Handling,
    /// The handler is done, its changes are being stored.
    Committing,
    /// The response is on its way: no token can follow.
    Sent,
}

/// The last thing that has moved the session's end, the strongest of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Moved {
    #[default]
    Nothing,
    Touch,
    /// A write of what stood there already.
    Again,
    Write,
}

/// How a session stands, to those who wait for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none, or none any more.
    Over,
    /// The request may yet store it, give it another id, or end it.
    Undecided,
    Stored(SessionId),
}

/// The changes that a request wanted at some instant, to go back to.
#[derive(Debug)]
pub(crate) struct Savepoint {
    pending: Pending,
    missed: Option<Refusal>,
    /// The write in doubt, by its number, and what it held.
    held: Option<(u32, Wanted)>,
    begun: u32,
    taken_out: usize,
}

impl Session {
    pub(crate) fn new(initial_idle: Option<Duration>) -> Self {
        Self {
            initial_idle,
            ..Self::default()
        }
    }

    /// The key of the session, where one is stored.
    pub(crate) fn key(&self) -> Option<StoreKey> {
        self.link.stored().map(|stored| stored.key)
    }

    /// The fields that are known to be stored.
    pub(crate) fn stored_fields(&self) -> &Fields {
        let stored = self.link.stored();
        stored.map_or(Fields::NONE, |stored| &stored.record.fields)
    }

    /// The fields as the next reader sees them: what was loaded, and what was done since.
    pub(crate) fn fields(&self) -> Fields {
        let held = match &self.link {
            Link::Writing(write) => Some(&write.held),
            _ => None,
        };
        let done = held.into_iter().chain(self.pending.changes());
        done.filter(|done| !done.changes.is_empty())
            .fold(self.stored_fields().clone(), |fields, done| {
                data::apply(&done.changes, &fields)
            })
    }

    /// Returns `true` if the store was asked for the session.
    pub(crate) fn is_read(&self) -> bool {
        !matches!(self.link, Link::Unread)
    }

    /// Returns `true` if the session is to end.
    pub(crate) fn is_to_end(&self) -> bool {
        matches!(self.pending, Pending::Destroy)
    }

    /// Returns `true` if the session has ended, or is to end.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.link, Link::Ended(_)) || self.is_to_end()
    }

    /// The owners of this session, and since when it is theirs.
    pub(crate) fn own_sign_ins(&self) -> Result<Vec<(OwnerKey, Timestamp)>, Refusal> {
        if self.has_ended() {
            return Err(Refusal::Gone);
        }
        let owners = self.owners(&[]);
        let sign_ins = owners
            .keys()
            .filter_map(|owner| Some((owner, owners.since(owner)?)));
        let sign_ins: Vec<_> = sign_ins.collect();
        if sign_ins.is_empty() {
            return Err(Refusal::NoOwner);
        }
        Ok(sign_ins)
    }

    /// Checks that something can still be stored in this request.
    pub(crate) fn writable(&self) -> Result<(), Refusal> {
        // After the response no token could tell the visitor of a new session.
        let is_unreachable = self.phase == Phase::Sent && self.link.stored().is_none();
        if self.has_ended() || is_unreachable {
            Err(Refusal::Gone)
        } else {
            Ok(())
        }
    }

    /// The instant from which a session is an owner's that this request makes theirs.
    pub(crate) fn since(&self, owner: OwnerKey) -> Timestamp {
        self.anew(owner).unwrap_or(self.began)
    }

    fn anew(&self, owner: OwnerKey) -> Option<Timestamp> {
        let mut latest_first = self.began_anew.iter().rev();
        let anew = latest_first.find(|(theirs, _)| *theirs == owner);
        anew.map(|(_, since)| *since)
    }

    /// Counts what this request does for an owner from here on as later than the mark that it has set.
    pub(crate) fn begin_after(&mut self, owner: OwnerKey, mark: Timestamp) {
        let since = mark.plus(Duration::from_millis(1));
        self.began_anew.push((owner, since));
    }

    /// The owners of the session after what is pending and `last`.
    pub(crate) fn owners(&self, last: &[Change]) -> Owners {
        let stored = self.link.stored();
        let stored = stored.map(|stored| stored.record.owners.clone());
        let mut owners = stored.unwrap_or_default();
        let since = |owner| self.since(owner);
        let held = match &self.link {
            Link::Writing(write) => Some(&write.held),
            _ => None,
        };
        for pending in held.into_iter().chain(self.pending.changes()) {
            if pending.affirm {
                owners = owners.anew(|owner| self.anew(owner));
            }
            owners = data::owners(&pending.changes, &owners, since);
        }
        data::owners(last, &owners, since)
    }

    /// Whether nothing is to be stored, and no write is in doubt.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty() && !matches!(self.link, Link::Writing(_))
    }

    /// Forgets the counters that only views and savepoints compare, so that states which differ in nothing else
    /// are one.
    #[cfg(test)]
    pub(crate) fn forget_counters(&mut self) {
        (self.generation, self.begun, self.adopted) = (0, 0, 0);
        self.taken_up = match &self.link {
            Link::Writing(write) => write.held.changes.len(),
            _ => 0,
        };
        self.views.forget_tickets();
    }

    /// Whether a write is in doubt.
    #[cfg(test)]
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self.link, Link::Writing(_))
    }

    pub(crate) fn standing(&self) -> Standing {
        match &self.link {
            Link::Ended(_) => Standing::Over,
            Link::Writing(write) if write.has_new_id() && self.phase != Phase::Sent => {
                Standing::Undecided
            }
            link => match link.stored() {
                Some(stored) => Standing::Stored(stored.id),
                None if self.phase == Phase::Sent => Standing::Over,
                None => Standing::Undecided,
            },
        }
    }
}

/// The acts of handlers.
impl Session {
    /// Notes that a view lends its value out as `&mut`.
    pub(crate) fn lend(&mut self, shape: Shape, at: Place) -> Ticket {
        let pending = self.pending.changes();
        let handed_over = pending.map_or(0, |pending| pending.changes.len());
        self.views.lend(shape, self.taken_up + handed_over, at)
    }

    /// Notes that a part of the request reads a struct; `true` if a view of it is lent out.
    pub(crate) fn read(&mut self, shape: Shape, by: Reader) -> bool {
        self.views.read(shape.id, by)
    }

    /// Takes back what was lent out.
    pub(crate) fn give_back(&mut self, ticket: Ticket) -> Option<Lent> {
        self.views.give_back(ticket)
    }

    /// A view that is still lent out.
    pub(crate) fn outstanding(&self) -> Option<&Lent> {
        self.views.outstanding()
    }

    /// Takes the changes of a view that is given back.
    ///
    /// They come before those of the parts that have read the struct meanwhile, so that the later write wins.
    /// `false` where what they change was taken out of the session: they are dropped.
    pub(crate) fn hand_over(&mut self, lent: &Lent, changes: Vec<Change>) -> Result<bool, Refusal> {
        self.writable()?;
        // What the commit does not take up would be dropped.
        if self.phase == Phase::Committing {
            return Err(Refusal::Contended);
        }
        if self.views.is_taken_out(lent) {
            return Ok(false);
        }
        let Some(pending) = self.pending.changes_mut() else {
            return Err(Refusal::Gone);
        };
        self.generation += 1;
        if lent.was_read() {
            let at = lent.position.saturating_sub(self.taken_up);
            let at = at.min(pending.changes.len());
            pending.changes.splice(at..at, changes);
        } else {
            pending.add(changes);
        }
        Ok(true)
    }

    /// Notes that a view was left with a value that cannot be stored.
    pub(crate) fn reject_value(&mut self, unstorable: Unstorable) {
        self.missed = Some(Refusal::Unstorable(unstorable));
    }

    /// Puts a struct in, or takes it out.
    pub(crate) fn push(&mut self, shape: Shape, change: Change) -> Result<(), Refusal> {
        self.writable()?;
        let changes = self.pending.changes_mut();
        let Some(changes) = changes.filter(|_| self.phase == Phase::Handling) else {
            return Err(Refusal::TooLate);
        };
        changes.changes.push(change);
        self.generation += 1;
        self.views.take_out(Some(shape.id));
        Ok(())
    }

    /// Notes something for the commit; `false` where the response is on its way. Nothing is noted where the
    /// session is to end.
    pub(crate) fn note(&mut self, note: impl FnOnce(&mut Wanted)) -> bool {
        if self.phase != Phase::Handling {
            return false;
        }
        if let Some(changes) = self.pending.changes_mut() {
            note(changes);
        }
        true
    }

    /// Empties the session; its id changes with it.
    pub(crate) fn clear(&mut self) -> bool {
        self.views.take_out(None);
        self.generation += 1;
        if matches!(self.missed, Some(Refusal::Unstorable(_))) {
            self.missed = None;
        }
        self.note(|changes| {
            changes.changes.clear();
            changes.changes.push(Change::Clear);
            changes.idle = Idle::Dropped;
            changes.renew = true;
        })
    }

    /// Ends the session with the commit; `false` where there is none to come.
    pub(crate) fn destroy(&mut self) -> bool {
        self.pending = Pending::Destroy;
        self.phase == Phase::Handling
    }

    /// Drops what has not been handed to the store. An end stays.
    pub(crate) fn drop_changes(&mut self) {
        if let Some(pending) = self.pending.changes() {
            self.taken_up += pending.changes.len();
            self.generation += 1;
        }
        self.pending.drop_changes();
        if matches!(self.missed, Some(Refusal::Unstorable(_))) {
            self.missed = None;
        }
    }

    /// Drops what a write in doubt holds: should it not arrive, nobody wants it any more.
    pub(crate) fn drop_held(&mut self) {
        if let Link::Writing(write) = &mut self.link {
            write.held = Wanted::default();
        }
    }

    pub(crate) fn savepoint(&self) -> Savepoint {
        Savepoint {
            pending: self.pending.clone(),
            missed: self.missed.clone(),
            held: match &self.link {
                Link::Writing(write) => Some((self.begun, write.held.clone())),
                _ => None,
            },
            begun: self.begun,
            taken_out: self.views.taken_out(),
        }
    }

    /// Takes back what was wanted since. What is stored stays stored, and an end is an end.
    pub(crate) fn roll_back(&mut self, savepoint: Savepoint) {
        if self.is_to_end() || self.phase != Phase::Handling {
            return;
        }
        let Savepoint {
            mut pending,
            missed,
            held,
            begun,
            taken_out,
        } = savepoint;
        if matches!(self.missed, Some(Refusal::Unstorable(_))) {
            self.missed = missed;
        }
        self.views.restore(taken_out);
        self.generation += 1;
        if self.adopted > begun {
            // What was wanted then is stored.
            pending = Pending::default();
        } else if let Link::Writing(write) = &mut self.link {
            if self.begun > begun {
                // A write in doubt has taken it up.
                self.taken_up -= write.held.changes.len();
                write.held = mem::take(&mut pending).into_wanted();
                self.taken_up += write.held.changes.len();
            }
        } else if let Some((number, held)) = held
            && self.adopted != number
            && self.missed.is_none()
        {
            // The write that was in doubt then has never arrived.
            let mut wanted = held;
            wanted.append(pending.into_wanted());
            pending = Pending::Store(wanted);
        }
        self.pending = pending;
    }
}

/// The replies of the store.
impl Session {
    /// A write is about to be asked for: it takes up what is pending.
    pub(crate) fn begin(&mut self, mut write: Write) {
        if let Some(pending) = self.pending.changes_mut() {
            write.held = mem::take(pending);
            self.taken_up += write.held.changes.len();
        }
        self.begun += 1;
        self.link = Link::Writing(write);
    }

    /// The pending changes make no difference: they are dropped.
    pub(crate) fn nothing_to_store(&mut self) {
        if let Some(pending) = self.pending.changes_mut() {
            self.taken_up += pending.changes.len();
            pending.changes.clear();
            pending.force = false;
        }
    }

    /// The session's end has moved.
    pub(crate) fn touched(&mut self, deadline: impl FnOnce(&Record) -> Timestamp) {
        if let Link::Stored(snapshot) = &mut self.link {
            snapshot.expires = deadline(&snapshot.record);
            self.moved = self.moved.max(Moved::Touch);
        }
    }

    /// The write under way has arrived.
    pub(crate) fn adopt(&mut self) {
        let Some(write) = self.end_write() else {
            return;
        };
        let has_new_id = write.has_new_id();
        let Write {
            from,
            target,
            is_again,
            ..
        } = write;
        let own_idle = |it: &Snapshot| it.record.idle.is_some();
        let is_forgotten = from.as_ref().is_some_and(own_idle) && !own_idle(&target);
        // The browser keeps a cookie for as long as it was told.
        self.owes_token |= has_new_id || is_forgotten;
        self.moved = if is_again { Moved::Again } else { Moved::Write };
        self.adopted = self.begun;
        self.generation += 1;
        let to = target.key;
        self.link = Link::Stored(target);
        match from {
            None => self.news.push(Event::Created(to)),
            Some(from) if has_new_id => self.news.push(Event::Rotated { from: from.key, to }),
            Some(_) => {}
        }
    }

    /// Another write was faster: what this one held is still to be stored.
    pub(crate) fn meet(&mut self, standing: Stored) {
        let Some(write) = self.end_write() else {
            return;
        };
        self.want_again(write.held);
        if let Some(from) = write.from {
            self.link = Link::Stored(Snapshot::new(from.id, from.key, standing));
            self.generation += 1;
            self.news.push(Event::Conflict(from.key));
        }
    }

    /// The store has refused a write, or it will never arrive: what it held is still to be stored.
    pub(crate) fn take_back(&mut self, fence: Option<Snapshot>) {
        let Some(write) = self.end_write() else {
            return;
        };
        self.want_again(write.held);
        self.link = fence.or(write.from).map_or(Link::Absent, Link::Stored);
    }

    /// Nobody can tell whether a write has arrived, so what it held is given up. The response says so, even if
    /// the handler ignores it.
    pub(crate) fn give_up(&mut self, standing: Stored) {
        let from = self.end_write().and_then(|write| write.from);
        self.missed = Some(Refusal::Contended);
        self.link = from.map_or(Link::Absent, |from| {
            Link::Stored(Snapshot::new(from.id, from.key, standing))
        });
    }

    /// The session has vanished: what is pending can never be stored.
    pub(crate) fn lose(&mut self, before: &'static str) {
        let gone = self.key().map(|key| Event::Gone(key, before));
        self.news.extend(gone);
        self.end(End::Elsewhere);
    }

    /// The session has ended.
    pub(crate) fn end(&mut self, end: End) {
        self.link = Link::Ended(end);
        // A logout that finds its session gone is told so.
        if end == End::Here || !self.is_to_end() {
            self.pending = Pending::default();
        }
    }

    /// The response is on its way, or there will be none.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Sent;
        self.drop_changes();
        if let Some(write) = self.end_write() {
            self.link = write.from.map_or(Link::Absent, Link::Stored);
        }
    }

    /// As [`close`](Self::close), where a call may be under way, or the request has no response.
    pub(crate) fn close_in_haste(&mut self) {
        self.phase = Phase::Sent;
        self.drop_changes();
    }

    fn end_write(&mut self) -> Option<Write> {
        match mem::replace(&mut self.link, Link::Absent) {
            Link::Writing(write) => Some(write),
            link => {
                self.link = link;
                None
            }
        }
    }

    fn want_again(&mut self, mut held: Wanted) {
        self.taken_up -= held.changes.len();
        if let Some(changes) = self.pending.changes_mut() {
            held.append(mem::take(changes));
            *changes = held;
        }
    }
}
