//! A store with one fault of many.

mod index;
mod marks;
mod owned;
mod sessions;
mod successors;
mod used;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use self::index::Notes;
use self::marks::Marks;
use super::super::kit;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};
use crate::store::{Answer, MemoryStore, SessionStore, Stored, Swap};

/// Before every end: to a store that is told so, nothing has expired.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

/// One way each to break the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    KeysRunTogether,
    LoadShowsTheDead,
    LoadIgnoresTime,
    LoadForgetsIdle,
    LoadForgetsSince,
    LoadSortsMembers,
    LoadRoundsTheEndUp,
    LoadMixesAnswers,
    UseShowsTheDead,
    UseIgnoresTime,
    UseAlwaysTouches,
    UseTouchesOwnIdle,
    UseIgnoresTheAbsolute,
    UseOnlySaysSo,
    UseSaysNothing,
    UseChangesTheRevision,
    UseEndsTheOld,
    UseUnlists,
    InsertOverwrites,
    InsertOverwritesInSilence,
    InsertSparesTheDead,
    InsertTakesTwoSteps,
    ReplaceCreates,
    ReplaceIgnoresTheRevision,
    ReplaceKeepsTheEnd,
    ReplaceShowsTheWrongConflict,
    ReplaceTakesTwoSteps,
    ReplaceRevives,
    RotateCreates,
    RotateLeavesTheOldKey,
    RotateIgnoresTheRevision,
    RotateOverwrites,
    RotateTakesTwoSteps,
    RotateStopsHalfway,
    TouchCreates,
    TouchRevives,
    TouchIgnoresTheRevision,
    TouchOnlyExtends,
    TouchEndsTheEndless,
    TouchChangesTheRevision,
    TouchTakesTwoSteps,
    RemoveDoesNothing,
    RemoveAlwaysSaysTrue,
    RemoveKeepsItsLock,
    SuccessorOfAnybody,
    SuccessorOfTheLiving,
    SuccessorOfTheRemoved,
    SuccessorIsNotedTooSoon,
    SuccessorIsAnother,
    SuccessorOutlivesAnInsert,
    SweepTakesTheLiving,
    SweepIgnoresTheLimit,
    SweepNeverEnds,
    IndexForgetsInsert,
    IndexForgetsReplace,
    IndexForgetsRotate,
    IndexIsLate,
    IndexKnowsOneOwner,
    IndexKeepsTheRemoved,
    IndexKeepsTheRotated,
    IndexKeepsSince,
    IndexKeepsTheEnd,
    IndexTakesTwoSteps,
    InsertKeepsFormerOwners,
    InsertDeniedLists,
    InsertListsLast,
    ReplaceKeepsFormerOwners,
    ReplaceDeniedLists,
    ReplaceUnlistsForAMoment,
    ReplaceUnlistsLate,
    RotateKeepsFormerOwners,
    RotateDeniedLists,
    RotateListsLast,
    TouchUnlists,
    RemoveUnlistsAll,
    SweepUnlistsAll,
    OwnedByShowsTheAnonymous,
    OwnedByShowsTheExpired,
    OwnedByIgnoresTime,
    OwnedByMixesOwners,
    OwnedByForgetsSince,
    OwnedByRepeats,
    OwnedByEndsAtAPage,
    OwnedByPrunesTheUnborn,
    OwnedByJoinsAnAnswer,
    OwnedByKeepsItsLock,
    MarkAnswersSeconds,
    MarkGoesBack,
    MarkStaysTheSame,
    MarkIgnoresSince,
    MarkForbidsNobodyAtTheMark,
    MarkForbidsEverybody,
    MarkIsSetThoughForbidden,
    MarkOnlyCounts,
    MarkIsLate,
    MarkIsShared,
    MarkEndsAMillisecondSooner,
    MarkNeverEnds,
    MarkOutlivesItself,
    MarkForgetsALongerUntil,
    MarkKeepsTheFirstUntil,
    MarkHidesSessions,
    MarkTakesTwoSteps,
    MarkStopsHalfway,
    MarkedNeverAnswersNone,
    MarkedJoinsAnAnswer,
    RemoveForgetsTheMark,
    SweepForgetsMarks,
    SweepForgetsTheOwnersOfPastMarks,
}

/// A store that is right but for one fault. It takes a few polls to answer.
pub(super) struct Wrong {
    right: MemoryStore,
    fault: Fault,
    born: Timestamp,
    answers: Mutex<VecDeque<Option<Stored>>>,
    locked: AtomicBool,
    moves: Mutex<HashMap<StoreKey, StoreKey>>,
    notes: Mutex<Notes>,
    marks: Mutex<Marks>,
}

impl Wrong {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            right: MemoryStore::new(),
            fault,
            born: kit::now(),
            answers: Mutex::default(),
            locked: AtomicBool::new(false),
            moves: Mutex::default(),
            notes: Mutex::default(),
            marks: Mutex::default(),
        }
    }
}

impl SessionStore for Wrong {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::later(async move { self.load(&key, now).await })
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        Answer::later(async move { self.load_and_touch(&key, lifetime, now).await })
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move { self.insert_noted(&key, &new, now).await })
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { self.replace_listed(&key, expected, &new, now).await })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::later(async move { self.rotate_noted(&from, expected, &to, &new, now).await })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::later(async move { self.touch_listed(&key, expected, expires, now).await })
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        Answer::later(async move { self.remove_noted(&key, now).await })
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        Answer::later(self.successor(from, now))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        Answer::later(self.remove_expired_listed(now, limit))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        Answer::later(self.owned_by(owner, now))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.mark(owner, at, until, since, now))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Answer::later(self.marked(owner, now))
    }
}
