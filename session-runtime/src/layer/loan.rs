//! A view whose value is lent out as `&mut`: what it changed is taken when it comes back.

use super::error::SessionError;
use super::events;
use super::shared::Shared;
use crate::data::{Change, Shape, Unstorable};
use crate::protocol::{Phase, Place, Ticket};
use crate::record::Fields;

/// A view whose value is lent out as `&mut`.
pub(crate) struct Loan {
    ticket: Ticket,
    reads: u32,
    /// The fields that are known to be stored.
    pub(crate) fields: Fields,
    /// Something was changed since the view has read its value.
    pub(crate) is_stale: bool,
}

impl Loan {
    /// Notes that a view lends its value out. `generation` is that of its value.
    pub(crate) fn new(request: &Shared, shape: Shape, at: Place, generation: u32) -> Self {
        let mut state = request.state();
        let session = &mut state.machine.session;
        Self {
            ticket: session.lend(shape, at),
            reads: request.reads(),
            fields: session.stored_fields().clone(),
            is_stale: session.generation != generation,
        }
    }

    /// Returns `true` if another part of the request may have read the struct since.
    pub(crate) fn was_read(&self, request: &Shared) -> bool {
        request.reads() != self.reads
    }

    /// Takes the changes of the view, to be stored now.
    pub(crate) fn hand_over(
        self,
        request: &Shared,
        changes: Vec<Change>,
    ) -> Result<(), SessionError> {
        let mut state = request.state();
        let session = &mut state.machine.session;
        let Some(lent) = session.give_back(self.ticket) else {
            return Ok(());
        };
        if changes.is_empty() {
            return Ok(());
        }
        let key = session.key();
        let handed = session.hand_over(&lent, changes);
        drop(state);
        if lent.was_read() {
            events::overlooked(key, &lent);
        }
        match handed {
            Ok(true) => Ok(()),
            Ok(false) => {
                events::taken_out(key, lent.name);
                Ok(())
            }
            Err(refusal) => Err(SessionError::new(refusal, None)),
        }
    }

    /// Takes the changes of a view that is dropped. After the response it is too late, and the log says so.
    pub(crate) fn end(self, request: &Shared, changes: Result<Vec<Change>, Unstorable>) {
        let mut state = request.state();
        let session = &mut state.machine.session;
        let Some(lent) = session.give_back(self.ticket) else {
            return;
        };
        if changes.as_ref().is_ok_and(Vec::is_empty) {
            return;
        }
        let key = session.key();
        if session.phase != Phase::Handling {
            drop(state);
            events::too_late(key, lent.name);
            return;
        }
        let handed = match changes {
            Ok(changes) => session.hand_over(&lent, changes),
            Err(unstorable) => {
                session.reject_value(unstorable);
                Ok(true)
            }
        };
        if let Err(refusal) = &handed {
            session.missed = Some(refusal.clone());
        }
        drop(state);
        if lent.was_read() {
            events::overlooked(key, &lent);
        }
        match handed {
            Ok(true) => {}
            Ok(false) => events::taken_out(key, lent.name),
            Err(refusal) => events::refused(key, lent.name, &SessionError::new(refusal, None)),
        }
    }

    /// Takes a view back whose changes are not wanted.
    pub(crate) fn forget(self, request: &Shared) {
        request.state().machine.session.give_back(self.ticket);
    }
}
