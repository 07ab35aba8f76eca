//! The changes that a request wants and has not handed to the store; asks nobody.

use std::time::Duration;

use crate::data::Change;

/// The work of the commit.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(crate) enum Pending {
    Store(Wanted),
    /// The session is to end. Nothing can be put into it any more.
    Destroy,
}

/// The changes that a request wants stored.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub(crate) struct Wanted {
    /// In the order in which they were made.
    pub(crate) changes: Vec<Change>,
    pub(crate) idle: Idle,
    pub(crate) renew: bool,
    /// The owners sign in anew: they have revoked their other sessions.
    pub(crate) affirm: bool,
    /// Store even if nothing differs: `resave` and `save_uninitialized`.
    pub(crate) force: bool,
    /// Move the end even if it is not due.
    pub(crate) touch: bool,
}

/// The change of a session's own idle timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Idle {
    #[default]
    Unchanged,
    /// As when a session begins.
    Dropped,
    Set(Duration),
}

impl Default for Pending {
    fn default() -> Self {
        Self::Store(Wanted::default())
    }
}

impl Pending {
    /// The changes to be stored, unless the session is to end.
    pub(crate) fn changes(&self) -> Option<&Wanted> {
        match self {
            Self::Store(changes) => Some(changes),
            Self::Destroy => None,
        }
    }

    pub(crate) fn changes_mut(&mut self) -> Option<&mut Wanted> {
        match self {
            Self::Store(changes) => Some(changes),
            Self::Destroy => None,
        }
    }

    /// What is to be stored; nothing where the session is to end.
    pub(crate) fn into_wanted(self) -> Wanted {
        match self {
            Self::Store(wanted) => wanted,
            Self::Destroy => Wanted::default(),
        }
    }

    /// Drops what is to be stored. An end stays.
    pub(crate) fn drop_changes(&mut self) {
        if let Self::Store(changes) = self {
            *changes = Wanted::default();
        }
    }

    /// Returns `true` if nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes().is_some_and(Wanted::is_empty)
    }
}

impl Idle {
    pub(crate) fn of(
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

impl Wanted {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            changes,
            idle,
            renew,
            affirm,
            force,
            touch,
        } = self;
        let flags = *renew || *affirm || *force || *touch;
        changes.is_empty() && *idle == Idle::Unchanged && !flags
    }

    /// Adds changes that came later.
    pub(crate) fn add(&mut self, changes: Vec<Change>) {
        // Most often there were none before, and the vector is taken over as it is.
        if self.changes.is_empty() {
            self.changes = changes;
        } else {
            self.changes.extend(changes);
        }
    }

    /// Adds all that was wanted later.
    pub(crate) fn append(&mut self, later: Self) {
        let Self {
            changes,
            idle,
            renew,
            affirm,
            force,
            touch,
        } = later;
        self.add(changes);
        if idle != Idle::Unchanged {
            self.idle = idle;
        }
        self.renew |= renew;
        self.affirm |= affirm;
        self.force |= force;
        self.touch |= touch;
    }
}
