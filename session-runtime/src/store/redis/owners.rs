//! Finds sessions by their owner, and keeps the marks.
//!
//! The index of an owner is a sorted set of session keys, by the instant until when each is listed.
//! An entry is added before its session is stored, so that it may be stale and a session is never
//! missing; it says nothing until the session itself has been read.

use std::collections::{HashMap, HashSet};

use ::redis::Value;

use super::super::{StoreError, Stored};
use super::script::{self, Reply};
use super::text::{self, Standing, UNLISTED};
use super::{RedisStore, refused};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::OwnerKey;

/// How many sessions are read by one command.
const AT_ONCE: usize = 64;

/// After so many lists, what was found will do, though others were rotated meanwhile.
const LOOKS: usize = 32;

impl RedisStore {
    /// Sees to it that owners' indexes list a session that ends at `ends`; answers until when.
    pub(super) async fn list(
        &self,
        owners: impl Iterator<Item = &str> + Send,
        key: StoreKey,
        ends: Timestamp,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let listed = text::listed_until(ends, now);
        let until = text::instant(listed);
        let (key, ttl) = (key.to_text(), text::kept(listed, now));
        let now = text::instant(now);
        for owner in owners {
            let args = [key.as_str(), &now, &until, &ttl];
            self.run(&script::LIST, &[self.index(owner)], &args).await?;
        }
        Ok(until)
    }

    /// Takes a session that is gone out of its owners' indexes: `was` says until when it was listed,
    /// and by whom. Nobody waits for it: what is left over is dropped once its time is past.
    pub(super) fn unlist(&self, was: &[u8], key: StoreKey, now: Timestamp) {
        let (listed, owners) = was.split_at_checked(UNLISTED.len()).unwrap_or_default();
        let owners: Vec<_> = text::read_owners(owners).map(str::to_owned).collect();
        if owners.is_empty() {
            return;
        }
        let (store, listed) = (self.clone(), String::from_utf8_lossy(listed).into_owned());
        tokio::spawn(async move {
            let (session, now) = (key.to_text(), text::instant(now));
            for owner in owners {
                let mut keys = vec![store.index(&owner)];
                if store.is_one_slot() {
                    keys.push(store.session(key));
                }
                let args = [session.as_str(), &listed, &now, &owner];
                drop(store.run(&script::UNLIST, &keys, &args).await);
            }
        });
    }

    /// Finds the sessions of an owner. Where one that is listed is gone, it may have been rotated: the
    /// next list says where to.
    pub(super) async fn find_owned(
        &self,
        owner: OwnerKey,
        now: Timestamp,
    ) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        let (mut gone, mut found) = (HashSet::new(), HashMap::new());
        for _ in 0..LOOKS {
            found.clear();
            let known = gone.len();
            // All of them each time: what was not there is listed before it is stored, and the nodes of a
            // cluster are not asked at one instant. The one that it takes the place of may have been asked
            // later, and be gone as well.
            let listed = self.listed(owner, now).await?;
            for keys in listed.chunks(AT_ONCE) {
                self.look_at(keys, now, &mut found, &mut gone).await?;
            }
            if gone.len() == known {
                break;
            }
        }
        // One may have changed hands since it was listed.
        found.retain(|_, stored: &mut Stored| stored.record.owners.since(owner).is_some());
        Ok(found.into_iter().collect())
    }

    async fn look_at(
        &self,
        keys: &[StoreKey],
        now: Timestamp,
        found: &mut HashMap<StoreKey, Stored>,
        gone: &mut HashSet<StoreKey>,
    ) -> Result<(), StoreError> {
        let mut command = ::redis::cmd("MGET");
        for key in keys {
            command.arg(self.session(*key));
        }
        let Value::Array(texts) = self.ask(&command).await? else {
            return Err(text::foreign());
        };
        if texts.len() != keys.len() {
            return Err(text::foreign());
        }
        let mut waiting = Vec::new();
        for (key, text) in keys.iter().zip(texts) {
            let standing = text::found(text)?;
            match standing.map(|text| Standing::read(&text)).transpose()? {
                Some(Standing::Session(stored)) if stored.is_live(now) => {
                    found.insert(*key, stored);
                }
                Some(Standing::Pending(from)) => waiting.push((*key, from)),
                _ => {
                    gone.insert(*key);
                }
            }
        }
        // After the others, so that one that comes takes the place of what it was before.
        for (key, from) in waiting {
            if let Some(stored) = self.find(key, now).await? {
                if let Some(from) = StoreKey::parse(from.as_bytes()) {
                    found.remove(&from);
                }
                found.insert(key, stored);
            }
        }
        Ok(())
    }

    async fn listed(&self, owner: OwnerKey, now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let mut command = ::redis::cmd("ZRANGEBYSCORE");
        command
            .arg(self.index(&owner.to_text()))
            .arg(text::instant(now))
            .arg("+inf");
        let Value::Array(listed) = self.ask(&command).await? else {
            return Err(text::foreign());
        };
        let mut keys = Vec::with_capacity(listed.len());
        for key in listed {
            let key = text::found(key)?.ok_or_else(text::foreign)?;
            keys.extend(StoreKey::parse(&key));
        }
        Ok(keys)
    }

    pub(super) async fn set_mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let args = [
            text::instant(at),
            text::instant(until),
            text::instant(now),
            since.map_or_else(|| "-".to_owned(), text::instant),
            text::millis(text::GRACE),
            text::millis(text::MOST),
        ];
        let args = args.each_ref().map(String::as_str);
        match self
            .run(&script::MARK, &[self.mark_of(owner)], &args)
            .await?
        {
            Reply::Done(at) => text::read_instant(&at).map(Some),
            Reply::Gone => Ok(None),
            _ => Err(text::foreign()),
        }
    }

    pub(super) async fn read_mark(
        &self,
        owner: OwnerKey,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut command = ::redis::cmd("GET");
        command.arg(self.mark_of(owner));
        let Some(mark) = text::found(self.ask(&command).await?)? else {
            return Ok(None);
        };
        let (at, until) = text::read_mark(&mark)?;
        Ok((now < until).then_some(at))
    }

    pub(super) async fn ask(&self, command: &::redis::Cmd) -> Result<Value, StoreError> {
        self.link.ask(command).await.map_err(refused)
    }
}
