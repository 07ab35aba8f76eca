//! The calls of a request, and the steps by which the machine carries them out.

use std::time::Duration;

use super::question::Question;
use super::refusal::Refusal;
use crate::expiry::Timestamp;
use crate::id::{PublicId, SessionId, StoreKey};
use crate::record::{Fields, OwnerKey};
use crate::token::Candidates;

/// One call of a request to the machine. One runs at a time.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) enum Call {
    /// Finds the session that the visitor's tokens open.
    Open(Candidates),
    /// Stores what is pending and ends the request.
    Commit {
        /// The tokens of a request that no extractor has opened, where the settings concern it.
        unopened: Option<Candidates>,
        /// The response says that the request failed: its changes are dropped.
        is_dropped: bool,
        /// The token travels in a cookie, which has a lifetime.
        by_cookie: bool,
    },
    /// Stores what is pending.
    Save,
    /// Stores what is pending, and what a closure makes of the newest fields.
    Update,
    /// Reads the newest fields.
    Load,
    /// Reads the newest fields, and drops what is pending.
    Reload,
    /// Moves the session's end, once the response is on its way.
    Touch,
    /// Removes the session, once the response is on its way.
    Destroy,
    /// Ends every session of an owner. A request that is not revoked itself may sign in anew after it.
    RevokeAll { owner: OwnerKey, by_request: bool },
    /// Ends the sessions of this one's owners, but for this one.
    RevokeOthers,
    /// Ends one session of `owner`, or of this one's owners.
    RevokeOne {
        owner: Option<OwnerKey>,
        session: PublicId,
    },
}

/// The next thing that the driver has to do for a call, or for a part of one.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// Ask the store, and hand the reply to `answered`.
    Ask(Question),
    /// Run the caller's closure on these fields, and hand its changes to `ran`.
    Run(Fields),
    /// Wait for a random while of at most this long, then call `resumed`.
    Pause(Duration),
    /// Wait behind the other writers of this session, then call `resumed`.
    Queue(StoreKey),
    Done(Result<T, Refusal>),
}

/// How a call has ended.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) enum Done {
    Plain,
    /// So many sessions were ended.
    Ended(usize),
    /// The token that the response gives or takes, and the error that is answered in its place.
    Response {
        token: Token,
        instead: Option<Refusal>,
    },
}

/// The fate of the visitor's token.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(crate) enum Token {
    Keep,
    Give {
        id: SessionId,
        /// The end of the session, where the cookie outlives the browser and ends with it.
        ends: Option<Timestamp>,
    },
    Remove,
}
