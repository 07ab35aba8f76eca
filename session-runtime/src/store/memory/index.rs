//! Finds sessions by their owner, and keeps the marks; knows no session and no cap.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{OwnerKey, Owners};

/// Below this many places a map is not worth making smaller.
const SMALL: usize = 64;

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
        // Who stays an owner has the session listed all the time: a revocation may list it now.
        for owner in after.into_iter().flat_map(Owners::keys) {
            let mut part = self.part(owner);
            part.entry(owner).or_default().sessions.insert(session);
        }
        let stays = |owner| after.is_some_and(|after| after.since(owner).is_some());
        let parted = before.into_iter().flat_map(Owners::keys);
        for owner in parted.filter(|owner| !stays(*owner)) {
            let mut part = self.part(owner);
            if let Some(known) = part.get_mut(&owner) {
                known.sessions.remove(&session);
                let len = known.sessions.len();
                if is_wasteful(known.sessions.capacity(), len) {
                    known.sessions.shrink_to(len * 2);
                }
                if known.is_empty() {
                    part.remove(&owner);
                }
            }
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
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut part = self.part(owner);
        let known = part.entry(owner).or_default();
        known.mark.take_if(|mark| mark.until <= now);
        let standing = known
            .mark
            .take_if(|mark| since.is_none_or(|since| mark.at < since));
        if known.mark.is_some() {
            return None;
        }
        let mark = standing.map_or(Mark { at, until }, |standing| Mark {
            at: at.max(standing.at.plus(Duration::from_millis(1))),
            until: until.max(standing.until),
        });
        let at = mark.at;
        known.mark = Some(mark);
        Some(at)
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
        let len = part.len();
        if is_wasteful(part.capacity(), len) {
            part.shrink_to(len * 2);
        }
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

/// Whether a map that shrank a lot should give memory back: no cap counts what is empty.
fn is_wasteful(capacity: usize, len: usize) -> bool {
    capacity > SMALL.max(len.saturating_mul(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ID_BYTES, SessionId};

    fn owner(number: u16) -> OwnerKey {
        OwnerKey::of("account", &number.to_le_bytes())
    }

    fn session(number: u16) -> StoreKey {
        let mut bytes = [0; ID_BYTES];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        SessionId::from_bytes(bytes).key()
    }

    #[test]
    fn an_owner_who_had_many_sessions_gives_their_memory_back() {
        let (index, ann) = (Index::default(), owner(0));
        let owners = Owners::default().with("account", ann, Timestamp::MAX);
        for number in 0..1000 {
            index.exchange(session(number), None, Some(&owners));
        }
        for number in 1..1000 {
            index.exchange(session(number), Some(&owners), None);
        }
        assert_eq!(index.sessions(ann), [session(0)]);
        let part = index.part(ann);
        assert!(part[&ann].sessions.capacity() <= SMALL);
    }

    #[test]
    fn a_sweep_gives_the_memory_of_marks_that_are_past_back() {
        let (index, past) = (Index::default(), Timestamp::from_millis(1));
        for number in 0..20_000 {
            index.mark(owner(number), past, past, None, Timestamp::from_millis(0));
        }
        assert_eq!(index.len(), 20_000);
        for part in 0..PARTS {
            index.sweep(part, past);
            assert!(index.lock(part).capacity() <= SMALL);
        }
        assert_eq!(index.len(), 0);
    }
}
