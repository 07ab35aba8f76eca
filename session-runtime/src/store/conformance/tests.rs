use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::yield_now;

use super::super::{Answer, MemoryStore, StoreError, Stored, Swap};
use super::*;
use crate::expiry::Timestamp;
use crate::id::{ID_BYTES, SessionId, StoreKey};
use crate::record::{Record, Revision};

/// Before every end: to a store that is told so, nothing has expired.
const LONG_AGO: Timestamp = Timestamp::from_millis(0);

/// One way each to break the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    KeysRunTogether,
    LoadShowsTheDead,
    LoadIgnoresTime,
    LoadForgetsIdle,
    LoadSortsMembers,
    LoadRoundsTheEndUp,
    LoadMixesAnswers,
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
    TouchOnlyExtends,
    TouchEndsTheEndless,
    TouchChangesTheRevision,
    TouchTakesTwoSteps,
    RemoveDoesNothing,
    RemoveAlwaysSaysTrue,
    RemoveKeepsItsLock,
    SweepTakesTheLiving,
    SweepIgnoresTheLimit,
    SweepNeverEnds,
}

const SENTENCES: [(Fault, &str); 35] = [
    (
        Fault::KeysRunTogether,
        "`insert` must store a session under a key that was never used",
    ),
    (
        Fault::LoadShowsTheDead,
        "`load` must not find a session that was inserted with its end past",
    ),
    (
        Fault::LoadIgnoresTime,
        "`load` must not find a session once `now` has reached its end",
    ),
    (
        Fault::LoadForgetsIdle,
        "a record with an idle timeout of its own must come back",
    ),
    (
        Fault::LoadSortsMembers,
        "a record with members out of order must come back",
    ),
    (
        Fault::LoadRoundsTheEndUp,
        "`expires` must come back as it was given",
    ),
    (
        Fault::LoadMixesAnswers,
        "a `load` after a dropped Load must answer for its own key",
    ),
    (
        Fault::InsertOverwrites,
        "`insert` under the key of a live session must answer `false`",
    ),
    (
        Fault::InsertOverwritesInSilence,
        "`insert` must not overwrite a live session",
    ),
    (
        Fault::InsertSparesTheDead,
        "`insert` must store over a session that was inserted with its end past",
    ),
    (
        Fault::InsertTakesTwoSteps,
        "of many `insert`s of one key one must answer `true`",
    ),
    (
        Fault::ReplaceCreates,
        "`replace` of a session that was never there must answer `Gone`",
    ),
    (
        Fault::ReplaceIgnoresTheRevision,
        "`replace` of a revision that no longer stands must answer `Conflict`",
    ),
    (
        Fault::ReplaceKeepsTheEnd,
        "`load` must not find a session that was replaced by one whose end is past",
    ),
    (
        Fault::ReplaceShowsTheWrongConflict,
        "`replace` of a revision that no longer stands must answer `Conflict` with what stands",
    ),
    (
        Fault::ReplaceTakesTwoSteps,
        "of many `replace`s of one revision one must answer `Done`",
    ),
    (
        Fault::ReplaceRevives,
        "no `replace`, `touch` or `rotate` may bring back what was removed",
    ),
    (
        Fault::RotateCreates,
        "`rotate` of a session that was never there must answer `Gone`",
    ),
    (
        Fault::RotateLeavesTheOldKey,
        "`load` must not find a session that was rotated away",
    ),
    (
        Fault::RotateIgnoresTheRevision,
        "`rotate` of a revision that no longer stands must answer `Conflict`",
    ),
    (
        Fault::RotateOverwrites,
        "`rotate` to the key of a live session must answer the error `Taken`",
    ),
    (
        Fault::RotateTakesTwoSteps,
        "of many `rotate`s of one session one must answer `Done`",
    ),
    (
        Fault::RotateStopsHalfway,
        "a dropped Rotate must have happened or not",
    ),
    (
        Fault::TouchCreates,
        "`touch` of a session that was never there must answer `false`",
    ),
    (
        Fault::TouchRevives,
        "`touch` of a session that was inserted with its end past must answer `false`",
    ),
    (
        Fault::TouchOnlyExtends,
        "`load` must not find a session that was touched to an end that is past",
    ),
    (
        Fault::TouchEndsTheEndless,
        "a session that never ends must be live",
    ),
    (
        Fault::TouchChangesTheRevision,
        "`touch` must leave the record and its revision alone",
    ),
    (
        Fault::TouchTakesTwoSteps,
        "of updates that `replace` acknowledged none may be lost",
    ),
    (
        Fault::RemoveDoesNothing,
        "`load` must not find a session that was removed",
    ),
    (
        Fault::RemoveAlwaysSaysTrue,
        "`remove` of a session that was never there must answer `false`",
    ),
    (
        Fault::RemoveKeepsItsLock,
        "the store must still answer after a dropped Remove",
    ),
    (
        Fault::SweepTakesTheLiving,
        "`remove_expired` must leave live sessions alone",
    ),
    (
        Fault::SweepIgnoresTheLimit,
        "`remove_expired` must free up to about its limit",
    ),
    (
        Fault::SweepNeverEnds,
        "`remove_expired` must answer less than its limit once nothing is left",
    ),
];

#[test]
fn each_broken_rule_is_named() {
    for (fault, sentence) in SENTENCES {
        let broken = catch_unwind(AssertUnwindSafe(|| check(fault)));
        let panic = broken.expect_err(&format!("{fault:?} passes the suite"));
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said
            .or(panic.downcast_ref::<&str>().copied())
            .unwrap_or_default();
        assert!(
            said.contains(sentence),
            "{fault:?} must be called {sentence}, not {said}"
        );
    }
}

#[test]
fn a_store_without_a_fault_passes() {
    check(Fault::None);
}

fn check(fault: Fault) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(conformance(Wrong::new(fault)));
}

/// A store that is right but for one fault. It takes a few polls to answer.
struct Wrong {
    right: MemoryStore,
    fault: Fault,
    born: Timestamp,
    answers: Mutex<VecDeque<Option<Stored>>>,
    locked: AtomicBool,
}

impl Wrong {
    fn new(fault: Fault) -> Self {
        Self {
            right: MemoryStore::new(),
            fault,
            born: kit::now(),
            answers: Mutex::default(),
            locked: AtomicBool::new(false),
        }
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Stored>, StoreError> {
        let now = match self.fault {
            Fault::LoadShowsTheDead => LONG_AGO,
            Fault::LoadIgnoresTime => self.born,
            _ => now,
        };
        let mut found = self.right.load(key, now).await?;
        if let Some(found) = &mut found {
            match self.fault {
                Fault::LoadForgetsIdle => found.record.idle = None,
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

    async fn insert(
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
        let found = self.right.load(key, LONG_AGO).await?;
        match self.fault {
            Fault::InsertSparesTheDead if found.is_some() => Ok(false),
            Fault::InsertOverwrites | Fault::InsertOverwritesInSilence => {
                let was_live = self.right.remove(key, now).await?;
                self.right.insert(key, new, now).await?;
                Ok(!was_live || self.fault == Fault::InsertOverwrites)
            }
            Fault::InsertTakesTwoSteps if found.is_none_or(|found| !found.is_live(now)) => {
                yield_now().await;
                self.right.remove(key, now).await?;
                self.right.insert(key, new, now).await
            }
            _ => self.right.insert(key, new, now).await,
        }
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Revision,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let Some(stands) = self.right.load(key, now).await? else {
            if self.fault == Fault::ReplaceCreates {
                self.right.insert(key, new, now).await?;
                return Ok(Swap::Done);
            }
            return Ok(Swap::Gone);
        };
        let matches = stands.record.revision == expected;
        match self.fault {
            Fault::ReplaceIgnoresTheRevision => {
                self.right
                    .replace(key, stands.record.revision, new, now)
                    .await
            }
            Fault::ReplaceKeepsTheEnd => {
                let expires = stands.expires;
                let new = Stored {
                    expires,
                    ..new.clone()
                };
                self.right.replace(key, expected, &new, now).await
            }
            Fault::ReplaceShowsTheWrongConflict if !matches => Ok(Swap::Conflict(new.clone())),
            Fault::ReplaceTakesTwoSteps if matches => {
                yield_now().await;
                self.right.remove(key, now).await?;
                self.right.insert(key, new, now).await?;
                Ok(Swap::Done)
            }
            Fault::ReplaceRevives if matches => {
                yield_now().await;
                let swap = self.right.replace(key, expected, new, now).await?;
                if swap == Swap::Gone {
                    self.right.insert(key, new, now).await?;
                }
                Ok(swap)
            }
            _ => self.right.replace(key, expected, new, now).await,
        }
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: &StoreKey,
        new: &Stored,
        now: Timestamp,
    ) -> Result<Swap, StoreError> {
        let Some(stands) = self.right.load(from, now).await? else {
            if self.fault == Fault::RotateCreates {
                self.right.insert(to, new, now).await?;
                return Ok(Swap::Done);
            }
            return Ok(Swap::Gone);
        };
        let matches = stands.record.revision == expected;
        let swap = match self.fault {
            Fault::RotateIgnoresTheRevision => {
                self.right
                    .rotate(from, stands.record.revision, to, new, now)
                    .await?
            }
            Fault::RotateOverwrites => {
                self.right.remove(to, now).await?;
                self.right.rotate(from, expected, to, new, now).await?
            }
            Fault::RotateTakesTwoSteps if matches && self.right.load(to, now).await?.is_none() => {
                self.right.insert(to, new, now).await?;
                yield_now().await;
                self.right.remove(from, now).await?;
                Swap::Done
            }
            Fault::RotateStopsHalfway if matches && self.right.load(to, now).await?.is_none() => {
                if !self.right.remove(from, now).await? {
                    return Ok(Swap::Gone);
                }
                yield_now().await;
                self.right.insert(to, new, now).await?;
                Swap::Done
            }
            _ => self.right.rotate(from, expected, to, new, now).await?,
        };
        if self.fault == Fault::RotateLeavesTheOldKey && swap == Swap::Done {
            self.right.insert(from, &stands, now).await?;
        }
        Ok(swap)
    }

    async fn touch(
        &self,
        key: &StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = self.right.load(key, now).await?;
        match (self.fault, found) {
            (Fault::TouchCreates, None) => self.right.insert(key, &kit::live(0), now).await,
            (Fault::TouchRevives, _) => self.right.touch(key, expires, LONG_AGO).await,
            (Fault::TouchEndsTheEndless, Some(_)) if expires == Timestamp::MAX => {
                self.right.touch(key, LONG_AGO, now).await
            }
            (Fault::TouchOnlyExtends, Some(found)) if expires < found.expires => Ok(true),
            (Fault::TouchTakesTwoSteps, Some(mut found)) => {
                yield_now().await;
                found.expires = expires;
                let Some(stands) = self.right.load(key, now).await? else {
                    return Ok(false);
                };
                let revision = stands.record.revision;
                self.right.replace(key, revision, &found, now).await?;
                Ok(true)
            }
            (Fault::TouchChangesTheRevision, Some(mut found)) => {
                let expected = found.record.revision;
                found.record.revision = Revision::from_u64(expected.as_u64() + 1);
                found.expires = expires;
                let swap = self.right.replace(key, expected, &found, now).await?;
                Ok(swap == Swap::Done)
            }
            _ => self.right.touch(key, expires, now).await,
        }
    }

    async fn remove(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        match self.fault {
            Fault::RemoveDoesNothing => Ok(self.right.load(key, now).await?.is_some()),
            Fault::RemoveAlwaysSaysTrue => self.right.remove(key, now).await.map(|_| true),
            Fault::RemoveKeepsItsLock => {
                while self.locked.swap(true, Ordering::Acquire) {
                    yield_now().await;
                }
                yield_now().await;
                let removed = self.right.remove(key, now).await;
                self.locked.store(false, Ordering::Release);
                removed
            }
            _ => self.right.remove(key, now).await,
        }
    }

    async fn remove_expired(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
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

impl SessionStore for Wrong {
    fn load<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Answer<'a, Option<Stored>> {
        Answer::later(self.load(key, now))
    }

    fn insert<'a>(
        &'a self,
        key: &'a StoreKey,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        Answer::later(self.insert(key, new, now))
    }

    fn replace<'a>(
        &'a self,
        key: &'a StoreKey,
        expected: Revision,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, Swap> {
        Answer::later(self.replace(key, expected, new, now))
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        expected: Revision,
        to: &'a StoreKey,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, Swap> {
        Answer::later(self.rotate(from, expected, to, new, now))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        Answer::later(self.touch(key, expires, now))
    }

    fn remove<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Answer<'a, bool> {
        Answer::later(self.remove(key, now))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        Answer::later(self.remove_expired(now, limit))
    }
}
