//! Keeps sessions in Redis as connect-redis does, for an Express app beside; knows no cookie, no clock.

use std::fmt;
use std::sync::Arc;

use ::redis::Value;

use super::super::{Answer, SessionStore, StoreError, Stored, Swap};
use super::link::{Link, Resend};
use super::script::{self, Reply, Script};
use super::{RedisStore, has_hash_tag, refused, text};
use crate::expiry::{Lifetime, Timestamp};
use crate::express::{self, NO_OWNERS};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};
use crate::wire::Wire;

const PREFIX: &str = "sess:";

/// Why nobody can sign in.
const TWO_SLOTS: &str = "on a cluster the old id of a session and its new one must share a slot: give \
     this store and connect-redis a prefix with a hash tag, such as `{sess}:`";

impl RedisStore {
    /// Keeps records as connect-redis 9 does, for [`Wire::Express`]: under `sess:` and the id, in clear, the
    /// session object as JSON, with a TTL.
    ///
    /// A prefix that was set is kept; [`ExpressStore::prefix`] sets another one, too.
    #[must_use]
    pub fn beside_express(self) -> ExpressStore {
        ExpressStore {
            is_cluster: self.is_cluster,
            link: self.link,
            prefix: if *self.prefix == *super::PREFIX {
                PREFIX.into()
            } else {
                self.prefix
            },
        }
    }
}

/// Sessions in Redis in the form of connect-redis 9, which an Express app and this one share. Made by
/// [`RedisStore::beside_express`].
///
/// ```
/// use session_runtime::{RedisStore, Secret, SessionLayer, Wire};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let store = RedisStore::open("redis://127.0.0.1:6379")?.beside_express();
/// let sessions = SessionLayer::builder(store, Secret::from_express("keyboard cat")?)
///     .wire(Wire::Express)
///     .build()?;
/// # let _ = sessions;
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
pub struct ExpressStore {
    link: Arc<Link>,
    prefix: Arc<str>,
    is_cluster: bool,
}

impl ExpressStore {
    /// Sets what all keys begin with, as connect-redis' option `prefix`; `sess:` if nothing is said.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    async fn find(
        &self,
        key: StoreKey,
        lifetime: Option<Lifetime>,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let (latest, least) = match lifetime {
            Some(lifetime) => (seconds(lifetime.latest(now), now), lifetime.least_move()),
            None => (0, std::time::Duration::ZERO),
        };
        let (latest, least) = (latest.to_string(), text::millis(least));
        let (keys, args) = ([self.name(key)?], [latest.as_str(), &least]);
        let load = &script::EXPRESS_LOAD;
        let answer = self.link.run(load, &keys, &args, Resend::IfLost).await;
        match answer.map_err(refused)? {
            Value::Nil => Ok(None),
            Value::Array(parts) => stored(&parts, now).map(Some),
            _ => Err(text::foreign()),
        }
    }

    async fn put_new(
        &self,
        key: StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut command = ::redis::cmd("SET");
        command
            .arg(self.name(key)?)
            .arg(new.record.fields.to_json());
        command.arg("EX").arg(seconds(new.expires, now)).arg("NX");
        match self.link.tell(&command).await.map_err(refused)? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(text::foreign()),
        }
    }

    async fn swap(
        &self,
        key: StoreKey,
        expected: Revision,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let keys = [self.name(key)?];
        let (expected, json) = (digest(expected), new.record.fields.to_json());
        let ttl = seconds(new.expires, now).to_string();
        let args = [expected.as_str(), &json, &ttl];
        self.decide(&script::EXPRESS_REPLACE, &keys, &args, now)
            .await
    }

    async fn move_to(
        &self,
        (from, expected): (StoreKey, Revision),
        to: StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let (expected, json) = (digest(expected), new.record.fields.to_json());
        let ttl = seconds(new.expires, now).to_string();
        let (from, to) = (self.name(from)?, self.name(to)?);
        if self.is_cluster && !has_hash_tag(&self.prefix) {
            return Err(StoreError::Unsupported(TWO_SLOTS));
        }
        let args = [expected.as_str(), &json, &ttl];
        self.decide(&script::EXPRESS_ROTATE, &[from, to], &args, now)
            .await
    }

    async fn move_end(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let keys = [self.name(key)?];
        let ttl = seconds(expires, now).to_string();
        let args = [digest(expected), ttl];
        let args = args.each_ref().map(String::as_str);
        match self
            .decide(&script::EXPRESS_TOUCH, &keys, &args, now)
            .await?
        {
            Swap::Done => Ok(true),
            Swap::Gone => Ok(false),
            Swap::Conflict(_) => Err(text::foreign()),
        }
    }

    async fn end(&self, key: StoreKey) -> Result<bool, StoreError> {
        let mut command = ::redis::cmd("DEL");
        command.arg(self.name(key)?);
        match self.link.tell(&command).await.map_err(refused)? {
            Value::Int(removed) => Ok(removed == 1),
            _ => Err(text::foreign()),
        }
    }

    async fn decide(
        &self,
        script: &Script,
        keys: &[String],
        args: &[&str],
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let answer = self.link.run(script, keys, args, Resend::Never).await;
        match answer.map_err(refused)? {
            Value::Array(parts) if parts.len() == 3 => {
                Ok(Swap::Conflict(stored(&parts[1..], now)?))
            }
            other => Reply::read(other)?.swap(),
        }
    }

    fn name(&self, key: StoreKey) -> Result<String, StoreError> {
        let id = key.in_clear();
        let id = id.ok_or(StoreError::Unsupported(
            "a key beside an Express app is an id",
        ))?;
        Ok(format!("{}{}", self.prefix, id.as_str()))
    }
}

/// What lies there: the text, and the milliseconds that it has left.
fn stored(parts: &[Value], now: Timestamp) -> Result<Stored, StoreError> {
    let [Value::BulkString(json), Value::Int(left)] = parts else {
        return Err(text::foreign());
    };
    let left = u64::try_from(*left).map(std::time::Duration::from_millis);
    Ok(Stored {
        record: express::read(json)?,
        // Without a TTL it never ends by itself.
        expires: left.map_or(Timestamp::MAX, |left| now.plus(left)),
    })
}

/// A TTL as connect-redis counts it, at least a second.
fn seconds(end: Timestamp, now: Timestamp) -> u64 {
    let left = end.since(now).min(text::MOST);
    left.as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// The first 13 digits of the SHA-1 of a text, as `redis.sha1hex` writes them.
fn digest(revision: Revision) -> String {
    format!("{:013x}", revision.as_u64())
}

impl SessionStore for ExpressStore {
    fn speaks(&self, wire: Wire) -> bool {
        wire == Wire::Express
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::later(self.find(key, None, now))
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::later(self.find(key, Some(lifetime), now))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move { self.put_new(key, &new, now).await })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { self.swap(key, expected, &new, now).await })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { self.move_to((from, expected), to, &new, now).await })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::later(self.move_end(key, expected, expires, now))
    }

    fn remove(&self, key: StoreKey, _now: Timestamp) -> Answer<'_, bool> {
        Answer::later(self.end(key))
    }

    /// The server does it.
    fn remove_expired(&self, _now: Timestamp, _limit: usize) -> Answer<'_, usize> {
        Answer::now(Ok(0))
    }

    /// Always [`StoreError::Unsupported`].
    fn owned_by(&self, _owner: OwnerKey, _now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::now(Err(StoreError::Unsupported(NO_OWNERS)))
    }

    /// Always [`StoreError::Unsupported`].
    fn mark(
        &self,
        _owner: OwnerKey,
        _at: Timestamp,
        _until: Timestamp,
        _since: Option<Timestamp>,
        _now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Err(StoreError::Unsupported(NO_OWNERS)))
    }

    fn marked(&self, _owner: OwnerKey, _now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::now(Err(StoreError::Unsupported(NO_OWNERS)))
    }
}

/// Shows the prefix and what kind of server it is, never where or who.
impl fmt::Debug for ExpressStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpressStore")
            .field("prefix", &self.prefix)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
