//! Counts what the store holds against its two caps, without a lock; knows no key and no shard.

use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{StoreError, Stored};
use crate::id::StoreKey;

/// What a session takes beside its fields: an entry of the map, which doubles when it is 7/8 full,
/// and the shared allocation of the fields.
const OVERHEAD: usize = (size_of::<(StoreKey, Stored)>() + 1) * 16 / 7 + 32;

/// What an owner of a session takes: in the record, and in the index.
const OWNER: usize = 512;

/// This part of a cap is kept for sessions that have an owner.
const KEPT: usize = 16;

/// What some sessions take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) sessions: usize,
    pub(super) bytes: usize,
}

impl Use {
    pub(super) fn of<'a>(sessions: impl IntoIterator<Item = &'a Stored>) -> Self {
        let none = Self::default();
        sessions.into_iter().fold(none, |sum, stored| Self {
            sessions: sum.sessions + 1,
            bytes: sum.bytes
                + OVERHEAD
                + stored.record.fields.size()
                + stored.record.owners.keys().count() * OWNER,
        })
    }
}

/// The room that is taken. It has cache lines of its own: a load must not wait for an insert.
#[repr(align(128))]
pub(super) struct Room {
    sessions: AtomicUsize,
    bytes: AtomicUsize,
    /// The shard whose turn it is to be swept.
    pub(super) cursor: AtomicUsize,
    pub(super) max_sessions: usize,
    pub(super) max_bytes: usize,
}

impl Room {
    pub(super) fn new(max_sessions: usize, max_bytes: usize) -> Self {
        Self {
            sessions: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            cursor: AtomicUsize::new(0),
            max_sessions,
            max_bytes,
        }
    }

    pub(super) fn used(&self) -> Use {
        Use {
            sessions: self.sessions.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
        }
    }

    /// Takes the room of `after` in the place of `before`, before anything is stored: what is there
    /// is never more than what is counted, and that never passes a cap.
    pub(super) fn exchange(&self, before: Use, new: &Stored) -> Result<(), StoreError> {
        let after = Use::of([new]);
        let cap = |max: usize| {
            let is_anonymous = new.record.owners.is_empty();
            if is_anonymous { max - max / KEPT } else { max }
        };
        let (max_sessions, max_bytes) = (cap(self.max_sessions), cap(self.max_bytes));
        exchange(&self.bytes, before.bytes, after.bytes, max_bytes)?;
        let sessions = exchange(
            &self.sessions,
            before.sessions,
            after.sessions,
            max_sessions,
        );
        if sessions.is_err() {
            // Only a new session takes a place, and its bytes were all taken a moment ago.
            give_back(&self.bytes, after.bytes - before.bytes);
        }
        sessions
    }

    pub(super) fn give_back(&self, freed: Use) {
        give_back(&self.bytes, freed.bytes);
        give_back(&self.sessions, freed.sessions);
    }
}

fn exchange(
    counter: &AtomicUsize,
    before: usize,
    after: usize,
    max: usize,
) -> Result<(), StoreError> {
    let Some(more) = after.checked_sub(before).filter(|more| *more > 0) else {
        give_back(counter, before - after);
        return Ok(());
    };
    let grown = |taken: usize| taken.checked_add(more).filter(|taken| *taken <= max);
    match counter.fetch_update(Relaxed, Relaxed, grown) {
        Ok(_) => Ok(()),
        Err(_) => Err(StoreError::Full),
    }
}

fn give_back(counter: &AtomicUsize, freed: usize) {
    // A write of the same size leaves the counter's cache line where it is.
    if freed > 0 {
        counter.fetch_sub(freed, Relaxed);
    }
}
