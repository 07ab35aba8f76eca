//! How a wrong store keeps its index: it notes what to leave out and what to make up.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::MutexGuard;

use tokio::task::yield_now;

use super::{Fault, LONG_AGO, Wrong};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};
use crate::store::{SessionStore, StoreError, Stored, Swap};

pub(super) type Listed = Vec<(StoreKey, Stored)>;

#[derive(Default)]
pub(super) struct Notes {
    /// What is left out.
    pub(super) hidden: HashSet<(OwnerKey, StoreKey)>,
    /// What is made up.
    pub(super) stale: Vec<(OwnerKey, StoreKey, Stored)>,
    /// What is left out of the next answer.
    pub(super) late: HashSet<StoreKey>,
    /// What is listed, and not stored yet.
    pub(super) unborn: HashSet<(OwnerKey, StoreKey)>,
    /// What is listed, where all else is left out.
    pub(super) lists: HashMap<OwnerKey, HashSet<StoreKey>>,
    /// Answers under way.
    pub(super) answers: HashMap<OwnerKey, Listed>,
    /// What was stored first.
    pub(super) first: HashMap<StoreKey, Stored>,
    pub(super) owners: BTreeSet<OwnerKey>,
    pub(super) anonymous: Option<(StoreKey, Stored)>,
}

impl Notes {
    pub(super) fn hide(&mut self, key: StoreKey, stored: &Stored) {
        self.hidden.extend(each_owner(key, stored));
    }

    fn show(&mut self, key: StoreKey, stored: &Stored) {
        for hidden in each_owner(key, stored) {
            self.hidden.remove(&hidden);
        }
    }

    /// Makes up that the owners of one state of a session have another one.
    fn make_up(&mut self, whose: &Stored, key: StoreKey, stored: &Stored) {
        let owners = whose.record.owners.keys();
        let owners = owners.filter(|owner| stored.record.owners.since(*owner).is_none());
        self.stale
            .extend(owners.map(|owner| (owner, key, stored.clone())));
    }

    /// Takes a write for done that was not.
    fn mistake(&mut self, key: StoreKey, stands: &Stored, new: &Stored) {
        self.hide(key, stands);
        self.make_up(new, key, stands);
    }
}

impl Wrong {
    pub(super) async fn insert_listed(
        &self,
        key: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let stands = self.right.load(*key, LONG_AGO).await?;
        if self.fault == Fault::InsertListsLast {
            self.notes().hide(*key, new);
        }
        self.list_first(*key, new).await;
        let inserted = self.insert(key, new, now).await?;
        if !inserted {
            if let (Fault::InsertDeniedLists, Some(stands)) = (self.fault, &stands) {
                self.notes().mistake(*key, stands, new);
            }
            return Ok(false);
        }
        match (self.fault, &stands) {
            (Fault::IndexForgetsInsert, _) => self.notes().hide(*key, new),
            (Fault::InsertKeepsFormerOwners, Some(dead)) => self.notes().make_up(dead, *key, new),
            _ => {}
        }
        self.notes().first.remove(key);
        self.list_last(*key, new).await;
        Ok(true)
    }

    pub(super) async fn replace_listed(
        &self,
        key: &StoreKey,
        expected: Revision,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let stands = self.right.load(*key, now).await?;
        if self.fault == Fault::ReplaceUnlistsForAMoment {
            self.notes().hide(*key, new);
            yield_now().await;
        }
        if self.fault == Fault::ReplaceUnlistsLate {
            self.notes().show(*key, new);
        }
        let swap = self.replace(key, expected, new, now).await?;
        if self.fault == Fault::ReplaceUnlistsForAMoment {
            self.notes().show(*key, new);
        }
        if let (Fault::ReplaceUnlistsLate, Swap::Done, Some(stands)) = (self.fault, &swap, &stands)
        {
            yield_now().await;
            let mut notes = self.notes();
            notes.hide(*key, stands);
            for (owner, key) in each_owner(*key, new) {
                if stands.record.owners.since(owner).is_some() {
                    notes.hidden.remove(&(owner, key));
                }
            }
        }
        let Some(stands) = &stands else {
            return Ok(swap);
        };
        match (self.fault, &swap) {
            (Fault::IndexForgetsReplace, Swap::Done) => self.notes().hide(*key, new),
            (Fault::ReplaceKeepsFormerOwners, Swap::Done) => {
                self.notes().make_up(stands, *key, new);
            }
            (Fault::ReplaceDeniedLists, Swap::Conflict(_)) => {
                self.notes().mistake(*key, stands, new);
            }
            _ => {}
        }
        if swap == Swap::Done {
            self.list_last(*key, new).await;
        }
        Ok(swap)
    }

    pub(super) async fn rotate_listed(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let stands = self.right.load(*from, now).await?;
        if self.fault == Fault::RotateListsLast {
            self.notes().hide(*to, new);
        }
        self.list_first(*to, new).await;
        let swap = self.rotate(from, expected, to, new, now).await?;
        let Some(stands) = &stands else {
            return Ok(swap);
        };
        match (self.fault, &swap) {
            (Fault::IndexForgetsRotate, Swap::Done) => self.notes().hide(*to, new),
            (Fault::IndexKeepsTheRotated, Swap::Done) => {
                let owners = stands.record.owners.keys();
                let stale = owners.map(|owner| (owner, *from, stands.clone()));
                self.notes().stale.extend(stale);
            }
            (Fault::RotateKeepsFormerOwners, Swap::Done) if !new.record.owners.is_empty() => {
                self.notes().make_up(stands, *to, new);
            }
            (Fault::RotateDeniedLists, Swap::Conflict(_)) => {
                self.notes().mistake(*from, stands, new);
            }
            _ => {}
        }
        if swap == Swap::Done {
            self.list_last(*to, new).await;
        }
        Ok(swap)
    }

    pub(super) async fn touch_listed(
        &self,
        key: &StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let stands = self.right.load(*key, now).await?;
        if let (Fault::TouchUnlists, Some(stands)) = (self.fault, &stands) {
            self.notes().hide(*key, stands);
        }
        self.touch(key, expected, expires, now).await
    }

    pub(super) async fn remove_listed(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let stands = self.right.load(*key, now).await?;
        let owned = stands.iter().flat_map(|stands| each_owner(*key, stands));
        for (owner, _) in owned {
            match (self.fault, &stands) {
                (Fault::IndexKeepsTheRemoved, Some(stands)) => {
                    self.notes().stale.push((owner, *key, stands.clone()));
                }
                (Fault::RemoveUnlistsAll, _) => self.hide_all(owner, now).await?,
                (Fault::RemoveForgetsTheMark, _) => self.forget_mark(owner),
                _ => {}
            }
        }
        self.remove(key, now).await
    }

    pub(super) async fn remove_expired_listed(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        if self.fault == Fault::SweepUnlistsAll {
            let owners = self.notes().owners.clone();
            for owner in owners {
                let all = self.right.owned_by(owner, LONG_AGO).await?;
                if all.iter().any(|(_, stored)| !stored.is_live(now)) {
                    self.hide_all(owner, now).await?;
                }
            }
        }
        for owner in self.sweep_marks(now) {
            if self.fault == Fault::SweepForgetsTheOwnersOfPastMarks {
                self.hide_all(owner, now).await?;
            }
        }
        self.remove_expired(now, limit).await
    }

    /// What happens to the index before a session is stored.
    async fn list_first(&self, key: StoreKey, new: &Stored) {
        if self.fault == Fault::OwnedByPrunesTheUnborn {
            self.notes().unborn.extend(each_owner(key, new));
            yield_now().await;
        }
    }

    /// What happens to the index once a session is stored.
    async fn list_last(&self, key: StoreKey, new: &Stored) {
        {
            let mut notes = self.notes();
            notes.owners.extend(new.record.owners.keys());
            notes.first.entry(key).or_insert_with(|| new.clone());
            if new.record.owners.is_empty() {
                notes.anonymous = Some((key, new.clone()));
            }
        }
        match self.fault {
            Fault::IndexIsLate => drop(self.notes().late.insert(key)),
            Fault::IndexKnowsOneOwner => {
                let hidden = each_owner(key, new).skip(1);
                self.notes().hidden.extend(hidden);
            }
            Fault::IndexTakesTwoSteps => {
                for (owner, key) in each_owner(key, new) {
                    let mut list = self.notes().lists.get(&owner).cloned().unwrap_or_default();
                    yield_now().await;
                    list.insert(key);
                    self.notes().lists.insert(owner, list);
                }
            }
            Fault::InsertListsLast | Fault::RotateListsLast => {
                yield_now().await;
                self.notes().show(key, new);
            }
            Fault::OwnedByPrunesTheUnborn => {
                for listed in each_owner(key, new) {
                    self.notes().unborn.remove(&listed);
                }
            }
            _ => {}
        }
    }

    pub(super) async fn hide_all(&self, owner: OwnerKey, now: Timestamp) -> Result<(), StoreError> {
        let all = self.right.owned_by(owner, now).await?;
        let hidden = all.into_iter().map(|(key, _)| (owner, key));
        self.notes().hidden.extend(hidden);
        Ok(())
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }
}

/// Whether a bad hash takes one owner for another.
pub(super) fn is_like(a: OwnerKey, b: OwnerKey) -> bool {
    a.as_bytes()[0] & 1 == b.as_bytes()[0] & 1
}

fn each_owner(key: StoreKey, stored: &Stored) -> impl Iterator<Item = (OwnerKey, StoreKey)> {
    stored.record.owners.keys().map(move |owner| (owner, key))
}
