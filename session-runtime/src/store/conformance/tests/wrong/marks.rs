//! How a wrong store keeps marks.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Duration;

use tokio::task::yield_now;

use super::index::is_like;
use super::{Fault, LONG_AGO, Wrong};
use crate::expiry::Timestamp;
use crate::record::OwnerKey;
use crate::store::StoreError;

const MILLI: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Marks {
    standing: HashMap<OwnerKey, Mark>,
    /// What the next answer does not know yet.
    late: Option<(OwnerKey, Option<Mark>)>,
    /// Answers under way.
    answers: HashMap<OwnerKey, Option<Timestamp>>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Timestamp,
    until: Timestamp,
}

impl Wrong {
    pub(super) async fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.fault == Fault::MarkHidesSessions {
            self.hide_all(owner, now).await?;
        }
        let before = self.marks().standing(owner, self.fault);
        if self.fault == Fault::MarkTakesTwoSteps {
            yield_now().await;
        }
        let mark = {
            let mut marks = self.marks();
            let stood = match self.fault {
                Fault::MarkTakesTwoSteps => before,
                fault => marks.standing(owner, fault),
            };
            let stands = stood.filter(|stood| self.counts(stood, now));
            let forbids = stands.is_some_and(|stands| self.forbids(&stands, since));
            if forbids && self.fault != Fault::MarkIsSetThoughForbidden {
                return Ok(None);
            }
            let mark = match stands {
                Some(stood) => self.later(stood, Mark { at, until }),
                None => Mark { at, until },
            };
            marks.late = Some((owner, stood));
            marks.standing.insert(owner, mark);
            if forbids {
                return Ok(None);
            }
            mark
        };
        if self.fault == Fault::MarkStopsHalfway {
            self.marks().end_at(owner, LONG_AGO);
            yield_now().await;
            self.marks().end_at(owner, mark.until);
        }
        Ok(Some(mark.at))
    }

    /// Whether who signed in at `since` is revoked.
    fn forbids(&self, stands: &Mark, since: Option<Timestamp>) -> bool {
        since.is_some_and(|since| match self.fault {
            Fault::MarkIgnoresSince => false,
            Fault::MarkForbidsNobodyAtTheMark => since < stands.at,
            Fault::MarkForbidsEverybody => true,
            _ => since <= stands.at,
        })
    }

    fn counts(&self, stood: &Mark, now: Timestamp) -> bool {
        match self.fault {
            Fault::MarkOutlivesItself => true,
            Fault::MarkStopsHalfway if stood.until == LONG_AGO => true,
            _ => now < stood.until,
        }
    }

    /// The mark after one that stands.
    fn later(&self, stood: Mark, asked: Mark) -> Mark {
        let next = stood.at.plus(MILLI);
        let at = match self.fault {
            Fault::MarkGoesBack if asked.at < stood.at => asked.at,
            Fault::MarkStaysTheSame => asked.at.max(stood.at),
            Fault::MarkOnlyCounts => next,
            Fault::MarkAnswersSeconds => asked.at.max(stood.at.plus(Duration::from_secs(1))),
            _ => asked.at.max(next),
        };
        let until = match self.fault {
            Fault::MarkForgetsALongerUntil => asked.until,
            Fault::MarkKeepsTheFirstUntil => stood.until,
            _ => asked.until.max(stood.until),
        };
        Mark { at, until }
    }

    pub(super) async fn marked(
        &self,
        owner: OwnerKey,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.fault != Fault::MarkedJoinsAnAnswer {
            return Ok(self.marked_now(owner, now));
        }
        let under_way = self.marks().answers.get(&owner).copied();
        if let Some(answer) = under_way {
            yield_now().await;
            return Ok(answer);
        }
        let answer = self.marked_now(owner, now);
        self.marks().answers.insert(owner, answer);
        yield_now().await;
        self.marks().answers.remove(&owner);
        Ok(answer)
    }

    fn marked_now(&self, owner: OwnerKey, now: Timestamp) -> Option<Timestamp> {
        let late = self.marks().late.take();
        let mark = match (self.fault, late) {
            (Fault::MarkIsLate, Some((marked, stood))) if marked == owner => stood,
            _ => self.marks().standing(owner, self.fault),
        };
        let stands = |mark: &Mark| match self.fault {
            Fault::MarkEndsAMillisecondSooner => now.plus(MILLI) < mark.until,
            Fault::MarkNeverEnds => true,
            _ => now < mark.until,
        };
        let at = mark.filter(stands).map(|mark| mark.at);
        match self.fault {
            Fault::MarkedNeverAnswersNone => Some(at.unwrap_or(LONG_AGO)),
            _ => at,
        }
    }

    pub(super) fn forget_mark(&self, owner: OwnerKey) {
        self.marks().standing.remove(&owner);
    }

    /// Forgets marks, and says whose.
    pub(super) fn sweep_marks(&self, now: Timestamp) -> Vec<OwnerKey> {
        let mut marks = self.marks();
        let past = |_: &OwnerKey, mark: &mut Mark| {
            self.fault == Fault::SweepForgetsMarks || mark.until <= now
        };
        marks
            .standing
            .extract_if(past)
            .map(|(owner, _)| owner)
            .collect()
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap()
    }
}

impl Marks {
    fn end_at(&mut self, owner: OwnerKey, until: Timestamp) {
        if let Some(mark) = self.standing.get_mut(&owner) {
            mark.until = until;
        }
    }

    fn standing(&self, owner: OwnerKey, fault: Fault) -> Option<Mark> {
        let mark = self.standing.get(&owner).copied();
        if fault != Fault::MarkIsShared {
            return mark;
        }
        let standing = self.standing.iter();
        let like = standing.filter(|(other, _)| mark.is_some() && is_like(**other, owner));
        like.map(|(_, mark)| *mark).max_by_key(|mark| mark.at)
    }
}
