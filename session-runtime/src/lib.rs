//! The runtime of sessile: everything of a session but its derive. Users depend on `sessile`; authors
//! of stores depend on this crate alone.

mod cookie;
pub mod data;
mod expiry;
mod extract;
mod id;
mod layer;
pub mod merge;
mod record;
mod secret;
mod store;

pub use cookie::{CookieError, CookieOptions, Priority, SameSite, Secure};
pub use data::{SessionData, Unstorable};
pub use expiry::Timestamp;
pub use extract::{Session, SessionHandle, SessionRejection};
pub use id::{ID_BYTES, PublicId, SessionId, StoreKey};
pub use layer::{
    ConfigError, NameTaken, ResponseFuture, Rolling, SessionError, SessionLayer,
    SessionLayerBuilder, SessionService,
};
pub use record::{Fields, Record, RecordError, Revision, Slice};
pub use secret::{Secret, SecretError};
pub use store::{Answer, MemoryStore, SessionStore, StoreError, Stored, Swap};

/// What generated code names; not for users, and not stable.
#[doc(hidden)]
pub mod __private {
    pub use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
    pub use http::request::Parts;

    pub use crate::data::{ByEq, ByJson, Column, Encoded, Field, Pair, Reader, SessionData};
    pub use crate::extract::{SessionRejection, copy, optional_copy};
    pub use crate::merge::Rule;
    pub use crate::record::Slice;

    /// The value of a field that is not stored.
    #[must_use]
    pub fn default<T: Default>() -> T {
        T::default()
    }
}
