//! How a request stands to its session in the store; asks nobody.

use super::pending::Wanted;
use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::protocol::words::Question;
use crate::record::{OwnerKey, Record};
use crate::store::Stored;

/// The state of the session in the store, as far as it is known. Exactly one is true.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) enum Link {
    /// The store has not been asked.
    #[default]
    Unread,
    /// The visitor's tokens open no session, and none was stored since.
    Absent,
    /// The session stands in the store, as far as is known.
    Stored(Snapshot),
    /// A write was begun, and its answer is not known.
    Writing(Write),
    /// The session has ended, and no other one can begin in this request.
    Ended(End),
}

/// How a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum End {
    /// This request has ended it: the visitor's token is to go.
    Here,
    /// It was found to have vanished.
    Elsewhere,
}

/// A session as it stands in the store, and under which id.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(crate) struct Snapshot {
    pub(crate) id: SessionId,
    pub(crate) key: StoreKey,
    pub(crate) record: Record,
    pub(crate) expires: Timestamp,
}

/// A write whose answer is not known: it is under way, or its answer was lost.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) struct Write {
    /// The session as the write found it; `None` for a new one.
    pub(crate) from: Option<Snapshot>,
    /// The session as it stands if the write has arrived.
    pub(crate) target: Snapshot,
    /// The changes that the write stores. They come before those that are pending.
    pub(crate) held: Wanted,
    /// The write stores what stands there already: `resave`.
    pub(crate) is_again: bool,
    /// The write changes a privilege.
    pub(crate) signs_in: bool,
}

impl Link {
    /// The session as it is known to be stored.
    pub(crate) fn stored(&self) -> Option<&Snapshot> {
        match self {
            Self::Stored(snapshot) => Some(snapshot),
            Self::Writing(write) => write.from.as_ref(),
            Self::Unread | Self::Absent | Self::Ended(_) => None,
        }
    }
}

impl Snapshot {
    pub(crate) fn new(id: SessionId, key: StoreKey, stored: Stored) -> Self {
        let Stored { record, expires } = stored;
        Self {
            id,
            key,
            record,
            expires,
        }
    }

    /// The same session, stored as this record.
    pub(crate) fn anew(&self, record: Record, expires: Timestamp) -> Self {
        Self {
            record,
            expires,
            ..*self
        }
    }

    pub(crate) fn to_stored(&self) -> Stored {
        Stored {
            record: self.record.clone(),
            expires: self.expires,
        }
    }
}

impl Write {
    /// Returns `true` if the write gives the session another id, or its first one.
    pub(crate) fn has_new_id(&self) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| from.key != self.target.key)
    }

    /// The write as a question to the store.
    pub(crate) fn question(&self) -> Question {
        let new = self.target.to_stored();
        let to = self.target.key;
        match &self.from {
            None => Question::Insert { key: to, new },
            Some(from) if from.key == to => Question::Replace {
                key: to,
                expected: from.record.revision,
                new,
            },
            Some(from) => Question::Rotate {
                from: from.key,
                expected: from.record.revision,
                to,
                new,
            },
        }
    }

    /// The owners whose session it was not before.
    pub(crate) fn newcomers(&self) -> impl Iterator<Item = OwnerKey> {
        let before = self.from.as_ref().map(|from| &from.record.owners);
        let owners = self.target.record.owners.keys();
        owners.filter(move |owner| before.is_none_or(|before| before.since(*owner).is_none()))
    }

    /// Returns `true` if this state of the session is the one that the write stores.
    pub(crate) fn is_target(&self, standing: &Stored) -> bool {
        standing.record.revision == self.target.record.revision
    }
}
