//! The runtime of sessile: everything of a session but its derive. Users depend on `sessile`, which
//! re-exports all of this; authors of stores depend on this crate alone.
//!
//! # The life of a request
//!
//! [`SessionLayer`] puts an empty session into the request and calls the handler. Nothing has been
//! read or asked so far, and a handler that wants no session gets its response through unchanged.
//!
//! The first extractor ([`Session`], [`SessionHandle`] or a copy) scans the `Cookie` headers for the
//! cookie's exact name, or the header that [`Transport`] names. It verifies the tag of each token, and
//! only then asks the [`SessionStore`] for the record under the hash of the id. What is forged, expired
//! or unknown is no session. Of several genuine tokens the one that opens a session counts; if two do,
//! there is no session until the visitor signs in or out, which ends both. Later extractors share what
//! was loaded.
//!
//! A struct is read from the record field by field; what this version does not know stays as it is.
//! When [`Session`] first lends its value out as `&mut`, it keeps an encoding of each field. When it
//! is dropped, the fields whose value differs become changes of the request, and whoever reads the
//! struct later in the same request sees them.
//!
//! When the handler has answered, the **commit** applies the changes to the record and asks the store
//! to put it in the place of the revision that was loaded. Where another request was faster, the
//! store says what stands there now; each change is merged into that by the rule of its field, and
//! the swap is tried again. A new session gets an id and a cookie, a renewed one another id. Only
//! then does the head of the response leave; if the store refused, an error leaves in its place.
//!
//! A handler that answers 5xx or 408, that panics, or whose visitor leaves before it has answered,
//! changes nothing. A commit that has begun is finished whoever leaves, and so are
//! [`SessionHandle::destroy`] and what [`Sessions`] revokes: [`SessionLayer::drained`] waits for them
//! before a server stops.

mod cookie;
mod data;
mod dialect;
mod expiry;
mod extract;
mod id;
mod layer;
pub mod merge;
mod protocol;
mod record;
mod secret;
mod store;
mod token;
#[cfg(test)]
#[path = "../../tests/support/trace.rs"]
mod trace;

pub use cookie::{CookieError, CookieOptions, Priority, SameSite, Secure};
pub use data::{Owned, SessionData, Unstorable};
/// The pool of [`PostgresStore`], and in it the client, of the versions that it takes.
#[cfg(feature = "postgres")]
pub use deadpool_postgres;
/// The pool that [`SqliteStore::new`] takes, and in it `rusqlite`, of the versions that it takes.
#[cfg(feature = "sqlite")]
pub use deadpool_sqlite;
pub use dialect::ExpressSecret;
pub use expiry::{Lifetime, Timestamp};
pub use extract::{Asked, OwnedSession, Session, SessionHandle, SessionRejection, Sessions};
pub use id::{ID_BYTES, PublicId, PublicIdError, SessionId, StoreKey};
pub use layer::{
    ConfigError, Head, Hop, NameTaken, ResponseFuture, SessionError, SessionLayer,
    SessionLayerBuilder, SessionService, Timeouts, Transport, TrustedProxy,
};
pub use protocol::{AtMaxSessions, Rolling};
pub use record::{Fields, OwnerKey, Owners, Record, RecordError, Revision, Slice};
pub use secret::{Secret, SecretError};
pub use store::{Answer, ExpressSessionStore, MemoryStore, SessionStore, StoreError, Stored, Swap};
#[cfg(feature = "redis")]
pub use store::{ExpressStore, RedisStore};
#[cfg(feature = "postgres")]
pub use store::{PostgresConfigError, PostgresStore};
#[cfg(feature = "sqlite")]
pub use store::{SqliteConfigError, SqliteStore};

pub mod from_express_session {
    #![doc = include_str!("../docs/from-express-session.md")]
}

pub mod operations {
    #![doc = include_str!("../docs/operations.md")]

    #[doc = include_str!("../docs/failover.md")]
    pub mod failover {}

    #[doc = include_str!("../docs/dependencies.md")]
    ///
    /// # By default
    ///
    /// ```text
    #[doc = include_str!("../docs/trees/default.txt")]
    /// ```
    ///
    /// # With `postgres`
    ///
    /// ```text
    #[doc = include_str!("../docs/trees/postgres.txt")]
    /// ```
    ///
    /// # With `redis`
    ///
    /// ```text
    #[doc = include_str!("../docs/trees/redis.txt")]
    /// ```
    ///
    /// # With `sqlite`
    ///
    /// ```text
    #[doc = include_str!("../docs/trees/sqlite.txt")]
    /// ```
    pub mod dependencies {}
}

pub mod speed {
    #![doc = include_str!("../docs/speed.md")]
    #![doc = include_str!("../docs/speed/machine.md")]
    #![doc = include_str!("../docs/speed/sessions.md")]
    #![doc = include_str!("../docs/speed/fields.md")]
    #![doc = include_str!("../docs/speed/size.md")]
    #![doc = include_str!("../docs/speed/writers.md")]
    #![doc = include_str!("../docs/speed/sweep.md")]
    #![doc = include_str!("../docs/speed/bytes.md")]
    #![doc = include_str!("../docs/speed/cookies.md")]
}

/// Checks a store against the contract of [`SessionStore`].
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    pub use crate::store::conformance::conformance;
}

/// What generated code names; not for users, and not stable.
#[doc(hidden)]
pub mod __private {
    pub use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
    pub use http::request::Parts;

    pub use crate::data::{
        Column, Field, HasDefault, Owned, Reader, SessionData, Stored, Writer, default, json,
    };
    pub use crate::extract::{SessionRejection, copy, optional_copy};
    pub use crate::merge::Rule;
    pub use crate::record::Slice;
}
