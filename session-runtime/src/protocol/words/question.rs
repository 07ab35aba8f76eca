//! The questions to a store, and its replies.

use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::record::{OwnerKey, Revision};
use crate::store::{Stored, Swap};

/// One operation of the store's contract.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) enum Question {
    Load(StoreKey),
    /// A load by a request that uses the session.
    LoadAndTouch(StoreKey),
    Insert {
        key: StoreKey,
        new: Stored,
    },
    Replace {
        key: StoreKey,
        expected: Revision,
        new: Stored,
    },
    Rotate {
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
    },
    Touch {
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
    },
    Remove(StoreKey),
    /// The key that a session was rotated to.
    Successor(StoreKey),
    OwnedBy(OwnerKey),
    Mark {
        owner: OwnerKey,
        until: Timestamp,
        since: Option<Timestamp>,
    },
    Marked(OwnerKey),
}

/// An answer of the store.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) enum Reply {
    Loaded(Option<Stored>),
    /// To an insert, a touch or a removal: whether it was done.
    Did(bool),
    Swapped(Swap),
    Successor(Option<StoreKey>),
    Owned(Vec<(StoreKey, Stored)>),
    Mark(Option<Timestamp>),
}

/// Why there is no reply. The driver keeps the error itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Fault {
    /// The store has done nothing.
    Refused,
    /// Nobody can tell whether the store has done it.
    Unknown,
}

/// Draws the random numbers that a step may need.
pub(crate) trait Draw {
    fn id(&mut self) -> SessionId;
    fn revision(&mut self) -> Revision;
}
