//! Keeps sessions in Redis as connect-redis does, for an Express app beside; knows no cookie, no clock.

mod objects;

use std::fmt;
use std::sync::Arc;

use self::objects::SessionObjects;
use super::super::{ExpressSessionStore, SessionStore};
use super::RedisStore;

const PREFIX: &str = "sess:";

impl RedisStore {
    /// Keeps records as connect-redis 9 does, for
    /// [`SessionLayer::beside_express`](crate::SessionLayer::beside_express): under `sess:` and the id, in
    /// clear, the session object as JSON, with a TTL.
    ///
    /// A prefix that was set is kept; [`ExpressStore::prefix`] sets another one, too.
    #[must_use]
    pub fn beside_express(self) -> ExpressStore {
        ExpressStore(SessionObjects {
            is_cluster: self.is_cluster,
            link: self.link,
            prefix: if *self.prefix == *super::PREFIX {
                PREFIX.into()
            } else {
                self.prefix
            },
        })
    }
}

/// Sessions in Redis in the form of connect-redis 9, which an Express app and this one share. Made by
/// [`RedisStore::beside_express`].
///
/// ```
/// use session_runtime::{ExpressSecret, RedisStore, SessionLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let store = RedisStore::open("redis://127.0.0.1:6379")?.beside_express();
/// let sessions = SessionLayer::beside_express(store, ExpressSecret::new("keyboard cat")?).build()?;
/// # let _ = sessions;
/// # Ok(())
/// # }
/// ```
///
/// It is no [`SessionStore`]: a layer with the formats of this library cannot keep its records there.
///
/// ```compile_fail,E0277
/// use session_runtime::{RedisStore, Secret, SessionLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::open("redis://127.0.0.1:6379")?.beside_express();
/// let sessions = SessionLayer::new(store, Secret::generate());
/// # Ok(())
/// # }
/// ```
///
/// Nor does a layer beside Express take a [`RedisStore`] that keeps the records of this library.
///
/// ```compile_fail,E0277
/// use session_runtime::{ExpressSecret, RedisStore, SessionLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::open("redis://127.0.0.1:6379")?;
/// let sessions = SessionLayer::beside_express(store, ExpressSecret::new("keyboard cat")?);
/// # Ok(())
/// # }
/// ```
///
/// A write is a script that compares the SHA-1 of what lies there with that of what was read, so that what
/// Express has written meanwhile is merged and not overwritten. Express compares nothing: what it writes, it
/// writes over what stands.
///
/// When a session ends is decided by the key's TTL, in whole seconds, as Express reads nothing else. A session
/// is not found by its owner, since Express's own writes would drop what says so.
///
/// | operation | commands |
/// |---|---|
/// | `load`, `load_and_touch`, `replace`, `touch` | one script |
/// | `insert` | `SET` |
/// | `rotate` | one script; on a cluster the prefix needs a hash tag for it, here and in connect-redis: `{sess}:` |
/// | `remove` | `DEL` |
#[derive(Clone)]
pub struct ExpressStore(SessionObjects);

impl ExpressStore {
    /// Sets what all keys begin with, as connect-redis' option `prefix`; `sess:` if nothing is said.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.0.prefix = prefix.into();
        self
    }
}

impl ExpressSessionStore for ExpressStore {
    fn into_shared(self) -> Arc<dyn SessionStore> {
        Arc::new(self.0)
    }
}

/// Shows the prefix and what kind of server it is, never where or who.
impl fmt::Debug for ExpressStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressStore")
            .field("prefix", &self.0.prefix)
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}
