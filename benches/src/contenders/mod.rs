//! The contenders. Each has the same four handlers: one that asks for no session, one that reads a
//! counter, one that adds to it, one that stores a user under a new id. A library has one more, which
//! works for a while between its read and its write.

#[cfg(feature = "peers")]
pub(crate) mod axum_session;
mod bare;
mod contender;
mod floor;
mod floor_ext;
mod floor_layer;
mod nothing;
#[cfg(feature = "peers")]
pub(crate) mod ruts;
pub(crate) mod sessile;
#[cfg(feature = "peers")]
mod tower_sessions;

pub use self::contender::{Contender, Starting, WORK};

/// The one that all others are measured by comes first.
#[must_use]
pub fn all() -> Vec<Contender> {
    let mut all = own();
    all.extend(libraries().into_iter().skip(1));
    all
}

/// The libraries that a user could choose, sessile first.
#[must_use]
pub fn libraries() -> Vec<Contender> {
    vec![
        sessile::CONTENDER,
        #[cfg(feature = "peers")]
        tower_sessions::CONTENDER,
        #[cfg(feature = "peers")]
        ruts::CONTENDER,
        #[cfg(feature = "peers")]
        axum_session::CONTENDER,
    ]
}

/// Those that need no peer: the floors, and sessile.
#[must_use]
pub fn own() -> Vec<Contender> {
    vec![
        bare::CONTENDER,
        nothing::CONTENDER,
        floor_ext::CONTENDER,
        floor_layer::CONTENDER,
        sessile::CONTENDER,
    ]
}
