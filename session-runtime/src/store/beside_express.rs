//! Names the stores in which an Express app finds the same sessions; knows none of them.

use std::sync::Arc;

use super::SessionStore;

/// A store for [`SessionLayer::beside_express`](crate::SessionLayer::beside_express): that of
/// `RedisStore::beside_express`, or a [`MemoryStore`](crate::MemoryStore) in tests.
///
/// The contract is that of [`SessionStore`], but for two things: a key is the id in clear, and the fields of a
/// record are all there is of it. So a store of one kind is not one of the other, and a layer with the formats
/// of this library does not take it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep sessions as an Express app does",
    note = "`RedisStore::beside_express` makes a store that does"
)]
pub trait ExpressSessionStore: Send + Sync + 'static {
    /// The store by its operations. Not stable: it is there for tests that wrap a store.
    #[doc(hidden)]
    fn into_shared(self) -> Arc<dyn SessionStore>;
}
