//! Loads sessions, and moves their end beside it.

use ::redis::{RedisResult, Value};

use super::super::{StoreError, Stored};
use super::link::Resend;
use super::text::{self, Standing};
use super::{RedisStore, refused, script};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;

impl RedisStore {
    pub(super) async fn find(
        &self,
        key: StoreKey,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        loop {
            let mut command = ::redis::cmd("GET");
            command.arg(self.session(key));
            let answer = self.link.ask(&command).await;
            if let Some(found) = self.found(key, answer, now).await? {
                return Ok(found);
            }
        }
    }

    /// Moves the end where that is due. The script is asked only where it may be: a plain `GET` costs the
    /// server a fortieth (0.1 microseconds, where the script takes 4).
    pub(super) async fn find_used(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let found = match self.ends.is_due(&key, lifetime, now) {
            Some(false) => self.find(key, now).await?,
            Some(true) | None => self.find_and_touch(key, lifetime, now).await?,
        };
        if let Some(found) = &found {
            self.ends.note(&key, found, lifetime);
        }
        Ok(found)
    }

    async fn find_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let keys = [self.session(key)];
        let args = [
            text::instant(now),
            text::instant(lifetime.latest(now)),
            text::millis(lifetime.absolute.min(text::MOST)),
            text::millis(lifetime.least_move()),
            text::millis(text::GRACE),
            text::millis(text::MOST),
        ];
        let args = args.each_ref().map(String::as_str);
        loop {
            let run = self.link.run(&script::LOAD, &keys, &args, Resend::IfLost);
            let answer = run.await;
            if let Some(found) = self.found(key, answer, now).await? {
                return Ok(found);
            }
        }
    }

    /// What was found under a key; nothing if it has to be asked for again.
    async fn found(
        &self,
        key: StoreKey,
        answer: RedisResult<Value>,
        now: Timestamp,
    ) -> Result<Option<Option<Stored>>, StoreError> {
        let Some(text) = text::found(answer.map_err(refused)?)? else {
            return Ok(Some(None));
        };
        Ok(match Standing::read(&text)? {
            Standing::Session(stored) => Some(Some(stored).filter(|stored| stored.is_live(now))),
            Standing::Pending(from) if self.has_come(key, &from, now).await? => None,
            Standing::Pending(_) | Standing::Moved(_) => Some(None),
        })
    }
}
