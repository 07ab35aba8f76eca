//! The events of a session's life, for the log and for those who wait for its end; logs nothing itself.

use super::refusal::Refusal;
use crate::id::StoreKey;
use crate::protocol::state::Lent;

/// One thing that has happened. The driver logs it once the lock is released.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Event {
    Created(StoreKey),
    Rotated {
        from: StoreKey,
        to: StoreKey,
    },
    Destroyed(StoreKey),
    Revoked(StoreKey),
    Evicted(StoreKey),
    /// An owner keeps more sessions than allowed.
    NotEvicted,
    /// A sign-in was taken back.
    Withdrawn(StoreKey, Refusal),
    /// A genuine token opens no session.
    NotFound(StoreKey),
    /// A stored session has ended by the settings of today.
    Expired(StoreKey),
    /// Two tokens of the visitor open two live sessions.
    Ambiguous,
    /// A session had ended before this could be done.
    Gone(StoreKey, &'static str),
    Conflict(StoreKey),
    /// The attempts to store it ran out; how many there were.
    Contended(Option<StoreKey>, u32),
    /// A recovery after a failed response has failed.
    InDoubt(Option<StoreKey>, Refusal),
    /// A new session could not begin: the settings end it before now.
    EndIsPast,
    /// `renew` had no session to act on.
    NothingToRenew,
    /// The store answered what its contract forbids.
    Broken(StoreKey, &'static str),
    /// A view that was changed outlives the response.
    StillLent(Option<StoreKey>, Lent),
}
