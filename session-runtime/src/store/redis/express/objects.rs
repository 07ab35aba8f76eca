//! The operations of a store beside an Express app, one command or script each.

use std::sync::Arc;

use ::redis::Value;

use super::super::super::{Answer, SessionStore, StoreError, Stored, Swap};
use super::super::link::{Link, Resend};
use super::super::script::{self, Reply, Script};
use super::super::{has_hash_tag, refused, text};
use crate::dialect::{self, NO_OWNERS};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

/// Why nobody can sign in.
const TWO_SLOTS: &str = "on a cluster the old id of a session and its new one must share a slot: give \
     this store and connect-redis a prefix with a hash tag, such as `{sess}:`";

/// Session objects under a prefix and their ids, as connect-redis keeps them.
#[derive(Clone)]
pub(super) struct SessionObjects {
    pub(super) link: Arc<Link>,
    pub(super) prefix: Arc<str>,
    pub(super) is_cluster: bool,
}

impl SessionObjects {
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
        // If it is carried out twice, the second time changes nothing.
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

/// Reads the answer of a script: the text, and the milliseconds that it has left.
fn stored(parts: &[Value], now: Timestamp) -> Result<Stored, StoreError> {
    let [Value::BulkString(json), Value::Int(left)] = parts else {
        return Err(text::foreign());
    };
    let left = u64::try_from(*left).map(std::time::Duration::from_millis);
    Ok(Stored {
        record: dialect::read(json)?,
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

impl SessionStore for SessionObjects {
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
