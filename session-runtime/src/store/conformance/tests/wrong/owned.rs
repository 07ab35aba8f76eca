//! How a wrong store finds sessions by their owners.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tokio::task::yield_now;

use super::index::{Listed, Notes, is_like};
use super::{Fault, LONG_AGO, Wrong};
use crate::expiry::Timestamp;
use crate::record::OwnerKey;
use crate::store::{SessionStore, StoreError};

/// How many sessions fit a page.
const PAGE: usize = 1000;

impl Wrong {
    pub(super) async fn owned_by(
        &self,
        owner: OwnerKey,
        now: Timestamp,
    ) -> Result<Listed, StoreError> {
        match self.fault {
            Fault::OwnedByPrunesTheUnborn => {
                let mut notes = self.notes();
                let (pruned, unborn) = notes
                    .unborn
                    .drain()
                    .partition(|(theirs, _)| *theirs == owner);
                notes.unborn = unborn;
                notes.hidden.extend::<HashSet<_>>(pruned);
            }
            Fault::OwnedByJoinsAnAnswer => {
                let under_way = self.notes().answers.get(&owner).cloned();
                if let Some(answer) = under_way {
                    yield_now().await;
                    return Ok(answer);
                }
                let answer = self.list(owner, now).await?;
                self.notes().answers.insert(owner, answer.clone());
                yield_now().await;
                self.notes().answers.remove(&owner);
                return Ok(answer);
            }
            Fault::OwnedByKeepsItsLock => {
                while self.locked.swap(true, Ordering::Acquire) {
                    yield_now().await;
                }
                yield_now().await;
                let listed = self.list(owner, now).await;
                self.locked.store(false, Ordering::Release);
                return listed;
            }
            _ => {}
        }
        self.list(owner, now).await
    }

    async fn list(&self, owner: OwnerKey, now: Timestamp) -> Result<Listed, StoreError> {
        let now = match self.fault {
            Fault::OwnedByShowsTheExpired => LONG_AGO,
            Fault::OwnedByIgnoresTime => self.born,
            _ => now,
        };
        let mut listed = self.right.owned_by(owner, now).await?;
        if self.fault == Fault::OwnedByMixesOwners && !listed.is_empty() {
            let owners = self.notes().owners.clone();
            for other in owners
                .into_iter()
                .filter(|other| *other != owner && is_like(*other, owner))
            {
                let theirs = self.right.owned_by(other, now).await?;
                let known: HashSet<_> = listed.iter().map(|(key, _)| *key).collect();
                listed.extend(theirs.into_iter().filter(|(key, _)| !known.contains(key)));
            }
        }
        let mut notes = self.notes();
        let Notes {
            hidden,
            stale,
            late,
            lists,
            first,
            owners,
            anonymous,
            ..
        } = &mut *notes;
        listed.retain(|(key, _)| !hidden.contains(&(owner, *key)) && !late.contains(key));
        late.clear();
        let stale = stale.iter().filter(|(theirs, ..)| *theirs == owner);
        listed.extend(stale.map(|(_, key, stored)| (*key, stored.clone())));
        match self.fault {
            Fault::IndexTakesTwoSteps => {
                let list = lists.entry(owner).or_default();
                listed.retain(|(key, _)| list.contains(key));
            }
            Fault::OwnedByShowsTheAnonymous if !owners.contains(&owner) => {
                listed.extend(anonymous.clone());
            }
            Fault::OwnedByRepeats => listed.extend(listed.first().cloned()),
            Fault::OwnedByEndsAtAPage => listed.truncate(PAGE),
            _ => {}
        }
        for (key, stored) in &mut listed {
            let owners = &stored.record.owners;
            match (self.fault, first.get(key)) {
                (Fault::OwnedByForgetsSince, _) => {
                    stored.record.owners = owners.anew(|_| Some(LONG_AGO));
                }
                (Fault::IndexKeepsTheEnd, Some(first)) => stored.expires = first.expires,
                (Fault::IndexKeepsSince, Some(first))
                    if first.record.owners.since(owner).is_some() =>
                {
                    stored.record.owners = first.record.owners.clone();
                }
                _ => {}
            }
        }
        Ok(listed)
    }
}
