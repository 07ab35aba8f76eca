//! What a request wants stored, and what it asks of its commit; asks nobody.

use std::time::Duration;

use crate::data::{Change, Unstorable};

/// What a request wants stored.
#[derive(Default)]
pub(super) struct Wanted {
    /// In the order in which they were made.
    pub(super) changes: Vec<Change>,
    pub(super) idle: Idle,
    pub(super) renew: bool,
    /// The owners sign in anew: they have revoked their other sessions.
    pub(super) affirm: bool,
    /// Store even if nothing differs: `resave` and `save_uninitialized`.
    pub(super) force: bool,
}

/// What becomes of a session's own idle timeout.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Idle {
    #[default]
    Unchanged,
    /// As when a session begins.
    Dropped,
    Set(Duration),
}

impl Idle {
    pub(super) fn of(
        self,
        before: Option<Duration>,
        at_first: Option<Duration>,
    ) -> Option<Duration> {
        match self {
            Self::Unchanged => before,
            Self::Dropped => at_first,
            Self::Set(idle) => Some(idle),
        }
    }
}

/// What a request asks of its commit.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) wanted: Wanted,
    pub(super) unstorable: Option<Unstorable>,
    pub(super) touch: bool,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            changes,
            idle,
            renew,
            affirm,
            force,
        } = self;
        changes.is_empty() && *idle == Idle::Unchanged && !(*renew || *affirm || *force)
    }

    /// Whether a session that is there is stored as it is, and only because it shall be.
    pub(super) fn is_only_forced(&self) -> bool {
        self.force && self.idle == Idle::Unchanged && !(self.renew || self.affirm)
    }

    /// Who signs in or out is not remembered for as long as who was there before.
    pub(super) fn pass_on(&mut self, last: &[Change]) {
        let mut changes = self.changes.iter().chain(last);
        if self.idle == Idle::Unchanged && changes.any(Change::is_of_owner) {
            self.idle = Idle::Dropped;
        }
    }

    /// Whether a session is to be written; one that holds nothing is not begun.
    pub(super) fn needs_write(&self, is_stored: bool, differs: bool) -> bool {
        let asked = self.renew || self.affirm || self.idle != Idle::Unchanged;
        differs || self.force || (is_stored && asked)
    }

    /// Adds changes that came later.
    pub(super) fn add(&mut self, changes: Vec<Change>) {
        // Mostly there are none before, and the vector stays where it is.
        if self.changes.is_empty() {
            self.changes = changes;
        } else {
            self.changes.extend(changes);
        }
    }

    pub(super) fn append(&mut self, later: Self) {
        let Self {
            changes,
            idle,
            renew,
            affirm,
            force,
        } = later;
        self.add(changes);
        if idle != Idle::Unchanged {
            self.idle = idle;
        }
        self.renew |= renew;
        self.affirm |= affirm;
        self.force |= force;
    }
}
