//! How a wrong store loads and writes sessions.

use std::sync::atomic::Ordering;

use tokio::task::yield_now;

use super::super::super::kit;
use super::{Fault, LONG_AGO, Wrong};
use crate::expiry::Timestamp;
use crate::id::{ID_BYTES, SessionId, StoreKey};
use crate::record::{Record, Revision};
use crate::store::{SessionStore, StoreError, Stored, Swap};

impl Wrong {
    pub(super) async fn load(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let now = match self.fault {
            Fault::LoadShowsTheDead => LONG_AGO,
            Fault::LoadIgnoresTime => self.born,
            _ => now,
        };
        let mut found = self.right.load(*key, now).await?;
        if let Some(found) = &mut found {
            match self.fault {
                Fault::LoadForgetsIdle => found.record.idle = None,
                Fault::LoadForgetsSince => {
                    found.record.owners = found.record.owners.anew(|_| Some(LONG_AGO));
                }
                Fault::LoadSortsMembers => found.record = sorted(&found.record),
                Fault::LoadRoundsTheEndUp => {
                    found.expires =
                        Timestamp::from_millis(found.expires.as_millis() / 1000 * 1000 + 1000);
                }
                _ => {}
            }
        }
        if self.fault != Fault::LoadMixesAnswers {
            return Ok(found);
        }
        // A connection whose next answer is for whoever asks next.
        self.answers.lock().unwrap().push_back(found);
        yield_now().await;
        Ok(self.answers.lock().unwrap().pop_front().flatten())
    }

    pub(super) async fn insert(
        &self,
        key: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let first_bit = SessionId::from_bytes([key.as_bytes()[0] & 1; ID_BYTES]).key();
        let key = if self.fault == Fault::KeysRunTogether {
            &first_bit
        } else {
            key
        };
        let found = self.right.load(*key, LONG_AGO).await?;
        match self.fault {
            Fault::InsertSparesTheDead if found.is_some() => Ok(false),
            Fault::InsertOverwrites | Fault::InsertOverwritesInSilence => {
                let was_live = self.right.remove(*key, now).await?;
                self.right.insert(*key, new.clone(), now).await?;
                Ok(!was_live || self.fault == Fault::InsertOverwrites)
            }
            Fault::InsertTakesTwoSteps if found.is_none_or(|found| !found.is_live(now)) => {
                yield_now().await;
                self.right.remove(*key, now).await?;
                self.right.insert(*key, new.clone(), now).await
            }
            _ => self.right.insert(*key, new.clone(), now).await,
        }
    }

    pub(super) async fn replace(
        &self,
        key: &StoreKey,
        expected: Revision,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let Some(stands) = self.right.load(*key, now).await? else {
            if self.fault == Fault::ReplaceCreates {
                self.right.insert(*key, new.clone(), now).await?;
                return Ok(Swap::Done);
            }
            return Ok(Swap::Gone);
        };
        let matches = stands.record.revision == expected;
        match self.fault {
            Fault::ReplaceIgnoresTheRevision => {
                self.right
                    .replace(*key, stands.record.revision, new.clone(), now)
                    .await
            }
            Fault::ReplaceKeepsTheEnd => {
                let expires = stands.expires;
                let new = Stored {
                    expires,
                    ..new.clone()
                };
                self.right.replace(*key, expected, new.clone(), now).await
            }
            Fault::ReplaceShowsTheWrongConflict if !matches => Ok(Swap::Conflict(new.clone())),
            Fault::ReplaceTakesTwoSteps if matches => {
                yield_now().await;
                self.right.remove(*key, now).await?;
                self.right.insert(*key, new.clone(), now).await?;
                Ok(Swap::Done)
            }
            Fault::ReplaceRevives if matches => {
                yield_now().await;
                let swap = self.right.replace(*key, expected, new.clone(), now).await?;
                if swap == Swap::Gone {
                    self.right.insert(*key, new.clone(), now).await?;
                }
                Ok(swap)
            }
            _ => self.right.replace(*key, expected, new.clone(), now).await,
        }
    }

    pub(super) async fn rotate(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let Some(stands) = self.right.load(*from, now).await? else {
            if self.fault == Fault::RotateCreates {
                self.right.insert(*to, new.clone(), now).await?;
                return Ok(Swap::Done);
            }
            return Ok(Swap::Gone);
        };
        let matches = stands.record.revision == expected;
        let swap = match self.fault {
            Fault::RotateIgnoresTheRevision => {
                self.right
                    .rotate(*from, stands.record.revision, *to, new.clone(), now)
                    .await?
            }
            Fault::RotateOverwrites => {
                self.right.remove(*to, now).await?;
                self.right
                    .rotate(*from, expected, *to, new.clone(), now)
                    .await?
            }
            Fault::RotateTakesTwoSteps if matches && self.right.load(*to, now).await?.is_none() => {
                self.right.insert(*to, new.clone(), now).await?;
                yield_now().await;
                self.right.remove(*from, now).await?;
                Swap::Done
            }
            Fault::RotateStopsHalfway if matches && self.right.load(*to, now).await?.is_none() => {
                if !self.right.remove(*from, now).await? {
                    return Ok(Swap::Gone);
                }
                yield_now().await;
                self.right.insert(*to, new.clone(), now).await?;
                Swap::Done
            }
            _ => {
                self.right
                    .rotate(*from, expected, *to, new.clone(), now)
                    .await?
            }
        };
        if self.fault == Fault::RotateLeavesTheOldKey && swap == Swap::Done {
            self.right.insert(*from, stands.clone(), now).await?;
        }
        Ok(swap)
    }

    pub(super) async fn touch(
        &self,
        key: &StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = self.right.load(*key, now).await?;
        match (self.fault, found) {
            (Fault::TouchCreates, None) => self.right.insert(*key, kit::live(0), now).await,
            (Fault::TouchRevives, _) => self.right.touch(*key, expected, expires, LONG_AGO).await,
            (Fault::TouchEndsTheEndless, Some(_)) if expires == Timestamp::MAX => {
                self.right.touch(*key, expected, LONG_AGO, now).await
            }
            (Fault::TouchIgnoresTheRevision, Some(found)) => {
                let stands = found.record.revision;
                self.right.touch(*key, stands, expires, now).await
            }
            (Fault::TouchOnlyExtends, Some(found)) if expires < found.expires => Ok(true),
            (Fault::TouchTakesTwoSteps, Some(mut found)) if found.record.revision == expected => {
                yield_now().await;
                found.expires = expires;
                let Some(stands) = self.right.load(*key, now).await? else {
                    return Ok(false);
                };
                let revision = stands.record.revision;
                self.right
                    .replace(*key, revision, found.clone(), now)
                    .await?;
                Ok(true)
            }
            (Fault::TouchChangesTheRevision, Some(mut found)) => {
                let expected = found.record.revision;
                found.record.revision = Revision::from_u64(expected.as_u64() + 1);
                found.expires = expires;
                let swap = self
                    .right
                    .replace(*key, expected, found.clone(), now)
                    .await?;
                Ok(swap == Swap::Done)
            }
            _ => self.right.touch(*key, expected, expires, now).await,
        }
    }

    pub(super) async fn remove(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        match self.fault {
            Fault::RemoveDoesNothing => Ok(self.right.load(*key, now).await?.is_some()),
            Fault::RemoveAlwaysSaysTrue => self.right.remove(*key, now).await.map(|_| true),
            Fault::RemoveKeepsItsLock => {
                while self.locked.swap(true, Ordering::Acquire) {
                    yield_now().await;
                }
                yield_now().await;
                let removed = self.right.remove(*key, now).await;
                self.locked.store(false, Ordering::Release);
                removed
            }
            _ => self.right.remove(*key, now).await,
        }
    }

    pub(super) async fn remove_expired(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        match self.fault {
            Fault::SweepTakesTheLiving => self.right.remove_expired(Timestamp::MAX, limit).await,
            Fault::SweepIgnoresTheLimit => self.right.remove_expired(now, usize::MAX).await,
            Fault::SweepNeverEnds => Ok(limit),
            _ => self.right.remove_expired(now, limit).await,
        }
    }
}

/// The record after a pass through a map that sorts its keys.
fn sorted(record: &Record) -> Record {
    let value: serde_json::Value = serde_json::from_str(&record.to_json()).unwrap();
    Record::from_json(value.to_string().as_bytes()).unwrap()
}
