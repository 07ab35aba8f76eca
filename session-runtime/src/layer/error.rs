//! Why a session could not be stored, and the status that says so; knows no response body.

use http::StatusCode;

use super::config_error::ConfigError;
use super::names::NameTaken;
use crate::data::Unstorable;
use crate::store::StoreError;

/// Why a change of a session was not stored. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session has ended: logged out, expired, or under another id by now.
    #[error("the session has ended")]
    Gone,
    /// The session has no such struct: a required field is absent.
    #[error("the session holds no `{0}`: insert one first")]
    Absent(&'static str),
    /// The session has no owner whose sessions could be ended.
    #[error("the session has no owner: sign in first")]
    NoOwner,
    /// The owner has as many sessions as [`max_sessions`](crate::SessionLayerBuilder::max_sessions)
    /// allows, and the sign-in was refused. What the request changed is dropped with it: a handler that
    /// ends another session inserts anew.
    #[error("the owner has {max} sessions, which is as many as allowed: end another one first")]
    TooManySessions {
        /// How many are allowed.
        max: usize,
    },
    /// Others kept changing the session, and the attempts ran out.
    #[error("too many requests change the session at once")]
    Contended,
    /// A privilege was changed after the response was sent: no cookie could follow with the new id.
    #[error(
        "a privilege cannot change after the response was sent, as no cookie can follow with the new id: change it in a handler"
    )]
    TooLate,
    /// A field holds a value that cannot be stored.
    #[error(transparent)]
    Unstorable(#[from] Unstorable),
    /// A field holds an integer that an Express app would read as another:
    /// beyond `Number.MAX_SAFE_INTEGER`, 2^53 - 1.
    #[error(
        "`{field}` holds an integer beyond 2^53 - 1, which Express would read, and write back, as another: store it as a string"
    )]
    UnsafeInteger {
        /// The field's key in the record.
        field: String,
    },
    /// The session grew past its cap.
    #[error(
        "the session takes {bytes} bytes, at most {max} are allowed: keep large things elsewhere, or raise `max_record_bytes`"
    )]
    TooLarge {
        /// What it would take.
        bytes: usize,
        /// The cap of the layer.
        max: usize,
    },
    /// Two structs store under one name.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// A browser would reject the cookie that
    /// [`cookie_for`](crate::SessionLayerBuilder::cookie_for) made of the request.
    #[error(transparent)]
    Cookie(#[from] ConfigError),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SessionError {
    /// The status that is answered where this error takes the place of a response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Gone | Self::TooManySessions { .. } => StatusCode::CONFLICT,
            Self::Absent(_) | Self::NoOwner => StatusCode::UNAUTHORIZED,
            // Time mends the rest of what a store may answer.
            Self::Store(StoreError::Unsupported(_))
            | Self::TooLate
            | Self::Unstorable(_)
            | Self::UnsafeInteger { .. }
            | Self::TooLarge { .. }
            | Self::NameTaken(_)
            | Self::Cookie(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Contended | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the visitor is told: nothing of the inside.
    pub(crate) fn public_message(&self) -> &'static str {
        match self {
            Self::Gone => "the session has ended, nothing was changed",
            Self::Absent(_) => "this needs something that the session does not hold",
            Self::NoOwner => "this needs somebody who has signed in",
            Self::TooManySessions { .. } => "too many sessions: sign out elsewhere first",
            Self::Contended => "the session is busy, nothing was changed",
            Self::Store(_) => "the session store is unavailable",
            Self::TooLate
            | Self::Unstorable(_)
            | Self::UnsafeInteger { .. }
            | Self::TooLarge { .. }
            | Self::NameTaken(_)
            | Self::Cookie(_) => "the session could not be stored",
        }
    }
}
