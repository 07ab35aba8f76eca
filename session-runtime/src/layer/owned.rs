//! Finds and ends the sessions of an owner; knows no user type.

use std::time::Duration;

use super::config::Config;
use super::error::SessionError;
use super::events;
use super::request::RequestSession;
use super::state::{Fate, State};
use crate::expiry::Timestamp;
use crate::express::NO_OWNERS;
use crate::id::{PublicId, StoreKey};
use crate::record::OwnerKey;
use crate::store::{StoreError, Stored};
use crate::wire::Wire;

impl Config {
    /// An error where records do not say whose they are: to answer that nobody has sessions, or that none
    /// was to be ended, would be wrong.
    pub(crate) fn knows_owners(&self) -> Result<(), StoreError> {
        match self.wire {
            Wire::Native => Ok(()),
            Wire::Express => Err(StoreError::Unsupported(NO_OWNERS)),
        }
    }

    /// The sessions of an owner that are alive by the store's word and by today's timeouts.
    pub(crate) async fn owned(
        &self,
        owner: OwnerKey,
    ) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        let now = self.now();
        let mut sessions = self.ask(self.store.owned_by(owner, now)).await?;
        sessions.retain(|(_, stored)| self.is_alive(&stored.record, stored.expires, now));
        Ok(sessions)
    }

    /// When a session was last touched, as far as its end tells: the absolute end hides it.
    pub(crate) fn last_seen(&self, stored: &Stored) -> Timestamp {
        let idle = self.lifetime_of(&stored.record).idle;
        stored.expires.minus(idle).max(stored.record.created)
    }

    /// Ends every session of an owner, and those that are being begun.
    pub(crate) async fn revoke_all(&self, owner: OwnerKey) -> Result<usize, StoreError> {
        let mark = self.mark_always(owner).await?;
        let Ended { sessions, result } = self.end_until(owner, mark).await;
        result.map(|()| sessions.len())
    }

    /// Ends one session of an owner, and answers where it was; `None` where they have none of this
    /// handle.
    pub(crate) async fn revoke(
        &self,
        owner: OwnerKey,
        handle: PublicId,
    ) -> Result<Option<StoreKey>, StoreError> {
        let sessions = self.owned(owner).await?;
        let found = sessions.iter().find(|(key, _)| key.public() == handle);
        let Some((key, _)) = found else {
            return Ok(None);
        };
        Ok(self.revoke_one(*key).await?.then_some(*key))
    }

    async fn mark_always(&self, owner: OwnerKey) -> Result<Timestamp, StoreError> {
        let mark = self.mark(owner, None).await?;
        mark.ok_or_else(|| {
            StoreError::unavailable("the store set no mark, though nothing forbade it")
        })
    }

    /// Marks that what an owner began up to now is revoked; `None` if what they began at `since` is
    /// revoked already.
    async fn mark(
        &self,
        owner: OwnerKey,
        since: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = self.now();
        // As long as a session may live: no request that signs in is expected to take longer.
        let until = now.plus(self.lifetime.absolute);
        self.ask(self.store.mark(owner, now, until, since, now))
            .await
    }

    /// Ends the sessions that an owner began up to `mark`. What cannot be ended holds up no other.
    async fn end_until(&self, owner: OwnerKey, mark: Timestamp) -> Ended {
        let (listed, mut result) = match self.owned(owner).await {
            Ok(listed) => (listed, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let is_later = |stored: &Stored| stored.record.owners.since(owner) > Some(mark);
        let mut sessions = Vec::new();
        for (key, _) in listed.into_iter().filter(|(_, stored)| !is_later(stored)) {
            match self.revoke_one(key).await {
                Ok(ended) => sessions.extend(ended.then_some(key)),
                Err(error) => result = Err(error),
            }
        }
        Ended { sessions, result }
    }

    async fn revoke_one(&self, key: StoreKey) -> Result<bool, StoreError> {
        let ended = self.remove(key).await?;
        if ended {
            events::revoked(key);
        }
        Ok(ended)
    }
}

/// Which sessions were ended, and whether all were.
struct Ended {
    sessions: Vec<StoreKey>,
    result: Result<(), StoreError>,
}

impl RequestSession {
    /// As [`Config::revoke_all`]. This request may sign in anew after it, unless somebody else has
    /// revoked what the owner began up to then.
    pub(crate) async fn revoke_all(&self, owner: OwnerKey) -> Result<usize, SessionError> {
        let since = self.state().since(owner);
        let mark = match self.config.mark(owner, Some(since)).await? {
            Some(mark) => {
                self.begin_after(owner, mark);
                mark
            }
            None => self.config.mark_always(owner).await?,
        };
        let Ended { sessions, result } = self.config.end_until(owner, mark).await;
        self.note_ended(&sessions);
        result?;
        Ok(sessions.len())
    }

    /// Ends the sessions of this one's owners, but for this one.
    pub(crate) async fn revoke_others(&self) -> Result<usize, SessionError> {
        // Where this fails, nobody is revoked.
        self.store(None).await?;
        let mut marks = Vec::new();
        for (owner, since) in self.own_sign_ins()? {
            let Some(mark) = self.config.mark(owner, Some(since)).await? else {
                return Err(self.end_own().await?);
            };
            self.begin_after(owner, mark);
            marks.push((owner, mark));
        }
        // This session is later than the marks from here on, whoever reads them.
        self.affirm();
        self.store(None).await?;
        let (mut count, mut result) = (0, Ok(()));
        for (owner, mark) in marks {
            let ended = self.config.end_until(owner, mark).await;
            count += ended.sessions.len();
            result = result.and(ended.result);
        }
        result?;
        Ok(count)
    }

    /// Whose this session is, and since when.
    fn own_sign_ins(&self) -> Result<Vec<(OwnerKey, Timestamp)>, SessionError> {
        let state = self.state();
        if state.fate != Fate::Open {
            return Err(SessionError::Gone);
        }
        let owners = state.owners();
        let sign_ins = owners
            .keys()
            .filter_map(|owner| Some((owner, owners.since(owner)?)));
        let sign_ins: Vec<_> = sign_ins.collect();
        if sign_ins.is_empty() {
            return Err(SessionError::NoOwner);
        }
        Ok(sign_ins)
    }

    /// Somebody has revoked this session, and it is still there: it ends now.
    async fn end_own(&self) -> Result<SessionError, StoreError> {
        let ended = match self.key() {
            Some(key) => self.config.revoke_one(key).await?,
            None => false,
        };
        let mut state = self.state();
        if !ended {
            return Ok(State::lose(state));
        }
        state.revoke();
        Ok(SessionError::Gone)
    }

    /// Ends one of the sessions of this one's owners; `false` where there is none of this handle.
    pub(crate) async fn revoke(&self, handle: PublicId) -> Result<bool, SessionError> {
        for (owner, _) in self.own_sign_ins()? {
            if self.revoke_of(owner, handle).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends one session of an owner; `false` where they have none of this handle.
    pub(crate) async fn revoke_of(
        &self,
        owner: OwnerKey,
        handle: PublicId,
    ) -> Result<bool, SessionError> {
        let ended = self.config.revoke(owner, handle).await?;
        self.note_ended(ended.as_slice());
        Ok(ended.is_some())
    }

    /// What this request does for an owner from here on is later than the mark that it has set itself.
    fn begin_after(&self, owner: OwnerKey, mark: Timestamp) {
        let since = mark.plus(Duration::from_millis(1));
        self.state().began_anew.push((owner, since));
    }

    fn affirm(&self) {
        self.state().pending.wanted.affirm = true;
    }

    /// If its own session is among those that it ended, the request is left without.
    fn note_ended(&self, ended: &[StoreKey]) {
        let mut state = self.state();
        let own = state.live.as_ref().map(|live| live.key);
        if own.is_some_and(|own| ended.contains(&own)) {
            state.revoke();
        }
    }
}
