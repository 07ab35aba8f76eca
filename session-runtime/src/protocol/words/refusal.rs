//! Why a call was refused; the store's own error stays with the driver.

use crate::data::Unstorable;

/// Why a call changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Refusal {
    /// The session has ended.
    Gone,
    /// The session holds no such struct.
    Absent(&'static str),
    /// The session has no owner.
    NoOwner,
    /// The owner has as many sessions as allowed.
    TooManySessions { max: usize },
    /// Others kept changing the session.
    Contended,
    /// The settings end a new session before now.
    EndIsPast,
    /// A new id was due after the response.
    TooLate,
    /// A view that was changed outlives the response.
    Lent(&'static str),
    /// A field holds a value that cannot be stored.
    Unstorable(Unstorable),
    /// A field holds an integer that Express would read as another.
    UnsafeInteger { field: String },
    /// The session grew past its cap.
    TooLarge { bytes: usize, max: usize },
    /// The store answered an error, the last one that the driver has seen.
    Store,
    /// The key of a new session is taken.
    Taken,
    /// The store answered what its contract forbids.
    Broken(&'static str),
}

impl Refusal {
    /// The driver has handed over a reply to another question.
    pub(crate) const MISMATCH: Self = Self::Broken("a reply to another question");
}
