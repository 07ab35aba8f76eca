//! Who is compared. Each has the same four handlers: one that asks for no session, one that reads a
//! counter, one that adds to it, one that stores a user under a new id.

mod bare;
mod floor;
mod floor_ext;
mod floor_layer;
mod nothing;
pub(crate) mod sessile;
#[cfg(feature = "peers")]
mod axum_session;
#[cfg(feature = "peers")]
mod ruts;
#[cfg(feature = "peers")]
mod tower_sessions;

use std::pin::Pin;

use axum::Router;

type Starting = Pin<Box<dyn Future<Output = Router> + Send>>;

/// One way to have sessions in axum.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    app: fn() -> Starting,
}

impl Contender {
    /// A fresh app, whose store holds nothing.
    pub async fn app(&self) -> Router {
        (self.app)().await
    }
}

/// The one that all others are measured by comes first.
#[must_use]
pub fn all() -> Vec<Contender> {
    let mut all = own();
    #[cfg(feature = "peers")]
    all.extend([
        tower_sessions::CONTENDER,
        ruts::CONTENDER,
        axum_session::CONTENDER,
    ]);
    all
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
