//! The operations of a request's program.

/// One thing that a handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    /// Reads the session.
    Read,
    /// Sets the word, through a view.
    Set,
    /// Adds to the sum, through a view.
    Sum,
    /// Appends a number of its own, through a view.
    Append,
    /// Puts a note in.
    Insert,
    /// Takes the note out.
    Remove,
    SignIn(u8),
    SignOut,
    Renew,
    Clear,
    Destroy,
    Touch,
    Save,
    /// Appends a number of its own, by a closure.
    Update,
    Reload,
    RevokeAll(u8),
    RevokeOthers,
}

/// How a handler ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Exit {
    Ok,
    /// The response says that the request failed.
    Failed,
    /// The handler panics, and nobody answers.
    Panicked,
    /// The visitor leaves, and the handler is dropped.
    Dropped,
    /// A layer in between answers 200 for a handler that has panicked.
    Excused,
}

use Operation::{
    Append, Clear, Destroy, Insert, Read, Reload, Remove, Renew, RevokeAll, RevokeOthers, Save,
    Set, SignIn, SignOut, Sum, Touch, Update,
};

/// All of them.
pub(super) const ALL: &[Operation] = &[
    Read,
    Set,
    Sum,
    Append,
    Insert,
    Remove,
    SignIn(1),
    SignIn(2),
    SignOut,
    Renew,
    Clear,
    Destroy,
    Touch,
    Save,
    Update,
    Reload,
    RevokeAll(1),
    RevokeOthers,
];

/// Those that write, save and end.
pub(super) const WRITES: &[Operation] = &[Append, Set, Sum, Save, Update, Renew, Destroy, Reload];

/// Those that sign in and out, and revoke.
pub(super) const SIGN_INS: &[Operation] = &[
    Append,
    SignIn(1),
    SignIn(2),
    SignOut,
    Save,
    Destroy,
    RevokeAll(1),
    RevokeOthers,
];

/// Those that end.
pub(super) const ENDS: &[Operation] = &[Append, Save, Renew, SignIn(1), Destroy, RevokeAll(1)];

/// Those that show in which order writes are stored: a save may be lost between two of them.
pub(super) const APPENDS: &[Operation] = &[Append, Save];

/// The least that three requests need to get in each other's way.
pub(super) const FEW: &[Operation] = &[Append, Update, SignIn(1), Destroy, RevokeAll(1)];

/// The ends of handlers that are answered.
pub(super) const ANSWERED: &[Exit] = &[Exit::Ok, Exit::Failed];

pub(super) const EXITS: &[Exit] = &[
    Exit::Ok,
    Exit::Failed,
    Exit::Panicked,
    Exit::Dropped,
    Exit::Excused,
];
