//! How a wrong store remembers rotations.

use std::collections::HashMap;
use std::sync::MutexGuard;

use super::super::super::kit;
use super::{Fault, Wrong};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::Revision;
use crate::store::{SessionStore, StoreError, Stored, Swap};

impl Wrong {
    pub(super) async fn successor(
        &self,
        from: StoreKey,
        now: Timestamp,
    ) -> Result<Option<StoreKey>, StoreError> {
        let is_live = self.right.load(from, now).await?.is_some();
        let to = self.moves().get(&from).copied();
        Ok(match self.fault {
            Fault::SuccessorOfAnybody => Some(to.unwrap_or(from)),
            Fault::SuccessorOfTheLiving if is_live => Some(from),
            Fault::SuccessorIsAnother => to.map(|_| kit::fresh_key()),
            _ => to,
        })
    }

    pub(super) async fn insert_noted(
        &self,
        key: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let inserted = self.insert_listed(key, new, now).await?;
        if inserted && self.fault != Fault::SuccessorOutlivesAnInsert {
            self.moves().remove(key);
        }
        Ok(inserted)
    }

    pub(super) async fn rotate_noted(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let swap = self.rotate_listed(from, expected, to, new, now).await?;
        if swap == Swap::Done || self.fault == Fault::SuccessorIsNotedTooSoon {
            let mut moves = self.moves();
            moves.remove(to);
            moves.insert(*from, *to);
        }
        Ok(swap)
    }

    pub(super) async fn remove_noted(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = self.remove_listed(key, now).await?;
        if removed && self.fault == Fault::SuccessorOfTheRemoved {
            self.moves().insert(*key, *key);
        }
        Ok(removed)
    }

    fn moves(&self) -> MutexGuard<'_, HashMap<StoreKey, StoreKey>> {
        self.moves.lock().unwrap()
    }
}
