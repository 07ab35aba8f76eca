//! Keeps sessions in Redis or Valkey; knows no cookie, no clock.

mod express;
mod link;
mod load;
mod operations;
mod owned;
mod owners;
mod rotate;
mod script;
mod text;
mod write;

use std::fmt;
use std::sync::Arc;

use ::redis::aio::ConnectionLike;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Cmd, RedisError, Value};

pub use self::express::ExpressStore;
use self::link::{Link, Resend, Source};
use self::script::{Reply, Script};
use super::StoreError;
use super::ends::Ends;
use crate::id::StoreKey;
use crate::record::OwnerKey;

const PREFIX: &str = "sessile:";

/// Keeps sessions in Redis (6.2 or later) or Valkey: one server, one with sentinels, or a cluster.
///
/// ```
/// use session_runtime::RedisStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let store = RedisStore::open("redis://127.0.0.1:6379")?.prefix("shop:");
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
///
/// # Where it is
///
/// | URL | |
/// |---|---|
/// | `redis://user:password@host:6379/0`, `redis+unix:///run/redis.sock` | one server; user, password and database may be left out |
/// | `redis+cluster://user:password@one:6379,two:6379` | a cluster, by some of its nodes |
/// | `redis+sentinel://user:password@one:26379,two:26379/mymaster/0` | the master that sentinels name; user and password are the master's |
/// | `rediss://..`, `rediss+cluster://..`, `rediss+sentinel://..` | the same by TLS, if the application's own dependency on the crate `redis` names one of its features `tokio-rustls-comp` or `tokio-native-tls-comp` |
///
/// The first call connects, and so does the next one after a connection was lost; nothing has to be
/// restarted with the server. All calls share one connection, in a pipeline. What may have been
/// carried out is never sent again, except what only reads.
///
/// # What is stored
///
/// | key | value | until |
/// |---|---|---|
/// | `sessile:s:` and the hash of the id | text: when it ends, until when it is listed, revision, owners' hashes, the record as JSON | a minute after its end |
/// | `sessile:o:` and the hash of an owner | sorted set of the owner's sessions | the sessions it lists are past |
/// | `sessile:m:` and the hash of an owner | text: the mark, until when it counts | a minute after that |
///
/// No id and no token is in it. When a session ends is decided by the clocks of the servers that ask,
/// like everywhere else; Redis frees its space by its own, in a time that is counted from the write,
/// so that the two clocks need not agree.
///
/// # Commands
///
/// | operation | commands | on a cluster |
/// |---|---|---|
/// | `load`, `marked` | `GET` | the same |
/// | `load_and_touch` | `GET`, or one script where the end may have to move, as far as this process knows | the same |
/// | `insert`, `replace`, `touch`, `remove`, `mark` | one script | the same; one more for each owner of an `insert` |
/// | `rotate` | one script | three, and one for each owner |
/// | `successor` | none | `GET` |
/// | `owned_by` | `ZRANGEBYSCORE`, and `MGET` for each 64 sessions; once more if one that is listed is gone | the same; `MGET` asks each session's node |
/// | `remove_expired` | none: the server does it | |
///
/// A session that is removed or rotated away is taken from its owners' lists by a script of its own, and
/// nobody waits.
///
/// On a cluster the two keys of a rotation are mostly in two slots, which no step changes at once: the
/// new session is stored first and waits, the old key decides, and who finds it waiting looks there. A
/// prefix with a hash tag, such as `{shop}:`, keeps all in one slot, and a rotation is one script again.
///
/// What a request costs, what the server may lose and what to set against it, room, rights and deadlines:
/// see [`operations`](crate::operations).
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    prefix: Arc<str>,
    is_cluster: bool,
    ends: Arc<Ends>,
}

impl RedisStore {
    /// Names the server, the cluster or the sentinels by a URL. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// If the URL is none of those above.
    pub fn open(url: &str) -> Result<Self, RedisError> {
        Source::from_url(url).map(Self::over)
    }

    /// Takes a connection that reconnects by itself, such as the crate `redis`'s `ConnectionManager`.
    ///
    /// It must not send a command again by itself, and what a caller no longer waits for must not
    /// confuse the answers of others.
    pub fn with_connection(
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::over(Source::Given(Arc::new(connection)))
    }

    /// Takes a connection to a cluster.
    ///
    /// Its client should have been built with `.retries(0)`: it would send again what may have been
    /// carried out, and bring back what was removed meanwhile. Then it does not follow a slot that moves,
    /// either, which [`open`](Self::open) does.
    #[must_use]
    pub fn with_cluster_connection(connection: ClusterConnection) -> Self {
        Self {
            is_cluster: true,
            ..Self::with_connection(connection)
        }
    }

    fn over(source: Source) -> Self {
        Self {
            is_cluster: matches!(source, Source::Cluster(_)),
            link: Link::new(source),
            prefix: PREFIX.into(),
            ends: Arc::default(),
        }
    }

    /// Sets what all keys begin with: `sessile:` if nothing else is said. Stores with different
    /// prefixes do not see each other.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self.ends = Arc::default();
        self
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.link.ask(command).await.map_err(refused)
    }

    async fn run(
        &self,
        script: &Script,
        keys: &[String],
        args: &[&str],
    ) -> Result<Reply, StoreError> {
        let answer = self.link.run(script, keys, args, Resend::Never).await;
        Reply::read(answer.map_err(refused)?)
    }

    /// One script may change two keys.
    fn is_one_slot(&self) -> bool {
        !self.is_cluster || has_hash_tag(&self.prefix)
    }

    fn session(&self, key: StoreKey) -> String {
        self.session_of(&key.to_text())
    }

    fn session_of(&self, key: &str) -> String {
        format!("{}s:{key}", self.prefix)
    }

    fn index(&self, owner: &str) -> String {
        format!("{}o:{owner}", self.prefix)
    }

    fn mark_of(&self, owner: OwnerKey) -> String {
        format!("{}m:{}", self.prefix, owner.to_text())
    }
}

/// Shows the prefix and what kind of server it is, never where or who.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// All keys with this prefix are in one slot: the text between the first `{` and the next `}` alone
/// decides, if there is one.
fn has_hash_tag(prefix: &str) -> bool {
    let tag = prefix
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    tag.is_some_and(|(tag, _)| !tag.is_empty())
}

fn refused(error: RedisError) -> StoreError {
    // Redis 6 says in the detail what a script was refused for.
    let says = |word: &str| {
        let mut words = error
            .detail()
            .into_iter()
            .flat_map(|detail| detail.split(|c: char| !c.is_ascii_alphanumeric()));
        error.code() == Some(word) || words.any(|said| said == word)
    };
    if says("WRONGTYPE") {
        text::foreign()
    } else if says("OOM") {
        StoreError::Full
    } else {
        StoreError::unavailable(error)
    }
}

#[cfg(test)]
mod tests;
