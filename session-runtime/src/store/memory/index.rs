//! Finds sessions by their owner, and keeps the marks; knows no session and no cap.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{OwnerKey, Owners};

/// A power of two, so that choosing one is a mask.
const PARTS: usize = 64;

/// What the index knows of owners. It is locked after a shard, never before one.
pub(super) struct Index {
    parts: [Mutex<HashMap<OwnerKey, Known>>; PARTS],
}

/// What is known of one owner.
#[derive(Default)]
struct Known {
    sessions: HashSet<StoreKey>,
    mark: Option<Mark>,
}

struct Mark {
    at: Timestamp,
    until: Timestamp,
}

impl Index {
    /// Lists a session under its owners in the place of those it had. The caller holds its shard.
    pub(super) fn exchange(
        &self,
        session: StoreKey,
        before: Option<&Owners>,
        after: Option<&Owners>,
    ) {
        if before == after {
            return;
        }
        for owner in before.into_iter().flat_map(Owners::keys) {
            let mut part = self.part(owner);
            if let Some(known) = part.get_mut(&owner) {
                known.sessions.remove(&session);
                if known.is_empty() {
                    part.remove(&owner);
                }
            }
        }
        for owner in after.into_iter().flat_map(Owners::keys) {
            let mut part = self.part(owner);
            part.entry(owner).or_default().sessions.insert(session);
        }
    }

    pub(super) fn sessions(&self, owner: OwnerKey) -> Vec<StoreKey> {
        let part = self.part(owner);
        let known = part.get(&owner);
        known.map_or_else(Vec::new, |known| known.sessions.iter().copied().collect())
    }

    pub(super) fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        let mut part = self.part(owner);
        let known = part.entry(owner).or_default();
        let standing = known.mark.take().filter(|mark| now < mark.until);
        let mark = standing.map_or(Mark { at, until }, |standing| Mark {
            at: at.max(standing.at.plus(Duration::from_millis(1))),
            until: until.max(standing.until),
        });
        let at = mark.at;
        known.mark = Some(mark);
        at
    }

    pub(super) fn marked(&self, owner: OwnerKey, now: Timestamp) -> Option<Timestamp> {
        let part = self.part(owner);
        let mark = part.get(&owner)?.mark.as_ref();
        mark.filter(|mark| now < mark.until).map(|mark| mark.at)
    }

    /// Frees the marks of one part that are past, if there is such a part.
    pub(super) fn sweep(&self, part: usize, now: Timestamp) {
        if part >= PARTS {
            return;
        }
        let mut part = self.lock(part);
        part.retain(|_, known| {
            known.mark.take_if(|mark| mark.until <= now);
            !known.is_empty()
        });
    }

    /// Of how many owners something is known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        (0..PARTS).map(|part| self.lock(part).len()).sum()
    }

    fn part(&self, owner: OwnerKey) -> MutexGuard<'_, HashMap<OwnerKey, Known>> {
        let [.., last] = *owner.as_bytes();
        self.lock(usize::from(last))
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, HashMap<OwnerKey, Known>> {
        // Nothing panics between two steps of a change, so a poisoned part is whole.
        let part = &self.parts[part & (PARTS - 1)];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Known {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.mark.is_none()
    }
}
