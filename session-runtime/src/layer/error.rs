//! Why a session could not be stored, and the status that says so; knows no response body.

use http::StatusCode;

use super::settings::{ConfigError, NameTaken};
use crate::data::Unstorable;
use crate::protocol::Refusal;
use crate::store::StoreError;

/// Why a change of a session was not stored, and the status that says so. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session has ended: logged out, revoked, expired, or under another id by now. A logout answers it too
    /// where it ended nothing. 409.
    #[error("the session has ended")]
    Gone,
    /// The session has no such struct: a required field is absent. 401.
    #[error("the session holds no `{0}`: insert one first")]
    Absent(&'static str),
    /// The session has no owner whose sessions could be ended. 401.
    #[error("the session has no owner: sign in first")]
    NoOwner,
    /// The owner has as many sessions as [`max_sessions`](crate::SessionLayerBuilder::max_sessions)
    /// allows, and the sign-in was refused. What the request changed is dropped with it: a handler that
    /// ends another session inserts anew. 409.
    #[error("the owner has {max} sessions, which is as many as allowed: end another one first")]
    TooManySessions {
        /// How many are allowed.
        max: usize,
    },
    /// Others kept changing the session, and the attempts ran out; or a write's answer was lost and others wrote
    /// since, so that nobody can tell whether it arrived; or a call of the same request is still under way. 503.
    #[error("too many requests change the session at once")]
    Contended,
    /// A privilege was changed after the response was sent: no cookie could follow with the new id. 500.
    #[error(
        "a privilege cannot change after the response was sent, as no cookie can follow with the new id: change it in a handler"
    )]
    TooLate,
    /// A [`Session`](crate::Session) that was lent as `&mut` is still in use as the response goes, such as in its
    /// body or in a task: nobody but its holder can see the change, so nothing of the request is stored. The log
    /// names the place that lent it. 500.
    #[error(
        "a `Session<{0}>` that was lent as `&mut` is still in use as the response goes: drop it, or store it by `Session::save`"
    )]
    Lent(&'static str),
    /// A field holds a value that cannot be stored. 500.
    #[error(transparent)]
    Unstorable(#[from] Unstorable),
    /// A field holds an integer that an Express app would read as another:
    /// beyond `Number.MAX_SAFE_INTEGER`, 2^53 - 1. 500.
    #[error(
        "`{field}` holds an integer beyond 2^53 - 1, which Express would read, and write back, as another: store it as a string"
    )]
    UnsafeInteger {
        /// The field's key in the record.
        field: String,
    },
    /// The session grew past its cap. 500.
    #[error(
        "the session takes {bytes} bytes, at most {max} are allowed: keep large things elsewhere, or raise `max_record_bytes`"
    )]
    TooLarge {
        /// The bytes that it would take.
        bytes: usize,
        /// The cap of the layer.
        max: usize,
    },
    /// Two structs store under one name. 500.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// A browser would reject the cookie that
    /// [`cookie_for`](crate::SessionLayerBuilder::cookie_for) made of the request. 500.
    #[error(transparent)]
    Cookie(#[from] ConfigError),
    /// The store could not do its work: 503, or 500 where it says that it never can. A write may have arrived
    /// all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SessionError {
    /// Says why the machine has refused a call; `error` is the last one of the store.
    pub(crate) fn new(refusal: Refusal, error: Option<StoreError>) -> Self {
        match refusal {
            Refusal::Gone | Refusal::EndIsPast => Self::Gone,
            Refusal::Absent(data) => Self::Absent(data),
            Refusal::NoOwner => Self::NoOwner,
            Refusal::TooManySessions { max } => Self::TooManySessions { max },
            Refusal::Contended => Self::Contended,
            Refusal::TooLate => Self::TooLate,
            Refusal::Lent(data) => Self::Lent(data),
            Refusal::Unstorable(unstorable) => Self::Unstorable(unstorable),
            Refusal::UnsafeInteger { field } => Self::UnsafeInteger { field },
            Refusal::TooLarge { bytes, max } => Self::TooLarge { bytes, max },
            Refusal::Taken => Self::Store(StoreError::Taken),
            Refusal::Broken(what) => Self::Store(StoreError::unavailable(what)),
            Refusal::Store => {
                Self::Store(error.unwrap_or_else(|| StoreError::unavailable("it has failed")))
            }
        }
    }

    /// The status that is answered where this error takes the place of a response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Gone | Self::TooManySessions { .. } => StatusCode::CONFLICT,
            Self::Absent(_) | Self::NoOwner => StatusCode::UNAUTHORIZED,
            // The other errors of a store may pass with time.
            Self::Store(StoreError::Unsupported(_))
            | Self::TooLate
            | Self::Lent(_)
            | Self::Unstorable(_)
            | Self::UnsafeInteger { .. }
            | Self::TooLarge { .. }
            | Self::NameTaken(_)
            | Self::Cookie(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Contended | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The text for the visitor, which tells nothing of the inside.
    pub(crate) fn public_message(&self) -> &'static str {
        match self {
            Self::Gone => "the session has ended, nothing was changed",
            Self::Absent(_) => "this needs something that the session does not hold",
            Self::NoOwner => "this needs somebody who has signed in",
            Self::TooManySessions { .. } => "too many sessions: sign out elsewhere first",
            Self::Contended => "the session is busy, nothing was changed",
            Self::Store(_) => "the session store is unavailable",
            Self::TooLate
            | Self::Lent(_)
            | Self::Unstorable(_)
            | Self::UnsafeInteger { .. }
            | Self::TooLarge { .. }
            | Self::NameTaken(_)
            | Self::Cookie(_) => "the session could not be stored",
        }
    }
}
