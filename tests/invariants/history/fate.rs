//! What a request's entry in the journal says about its writes, and about the ends it brought.

use http::StatusCode;

use super::journal::{Ending, Note, Request, Result as Done, Sent, Tick};
use super::program::Step;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The client, or the handler, was told that it is stored.
    Acknowledged(Tick),
    /// It was told that it is not, or it never happened.
    Refused,
    /// Nobody was told anything.
    Unknown,
}

/// Something that may have ended a session, or the life of an id, between two moments.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) from: Tick,
    /// `None` if it may yet come.
    pub(super) until: Option<Tick>,
    pub(super) certain: bool,
    pub(super) by: Option<usize>,
}

impl End {
    pub(super) fn is_after(&self, moment: Tick) -> bool {
        self.until.is_none_or(|until| until > moment)
    }
}

impl Request {
    /// Whether the request worked on no session that had been there before.
    pub(super) fn is_new(&self) -> bool {
        self.opened.as_ref().is_none_or(|opened| opened.is_new)
    }

    fn answered(&self) -> Option<StatusCode> {
        match &self.ending {
            Ending::Answered(status, _) => Some(*status),
            Ending::Dropped | Ending::Panicked => None,
        }
    }

    /// What the steps of this kind may have ended.
    pub(super) fn ends(&self, number: usize, kind: fn(Step) -> bool) -> Vec<End> {
        let ends = self.notes.iter().enumerate().filter_map(|(index, note)| {
            let ends = note.step.rotates() || note.step == Step::Destroy;
            (ends && kind(note.step))
                .then(|| self.end(number, index, note))
                .flatten()
        });
        ends.collect()
    }

    /// When what a step asked for took place, if it did.
    fn end(&self, number: usize, index: usize, note: &Note) -> Option<End> {
        let later = &self.notes[index + 1..];
        let end = |until, certain| {
            Some(End {
                from: note.at,
                until,
                certain,
                by: Some(number),
            })
        };
        let destroys = note.step == Step::Destroy;
        let destroyed = |note: &Note| note.step == Step::Destroy;
        // A `save` stores a rotation, but not once the session is to be destroyed.
        let saved = later
            .iter()
            .take_while(|note| !destroyed(note))
            .find(|note| note.saves() || note.affirms());
        if let Some(saved) = saved.filter(|saved| !destroys && saved.result == Done::Done) {
            return end(Some(saved.at), true);
        }
        let in_doubt = !destroys && saved.is_some();
        match (&self.ending, destroys) {
            // It is carried out whoever leaves.
            (Ending::Dropped | Ending::Panicked, true) => end(None, true),
            (Ending::Dropped, _) => end(None, false),
            (Ending::Panicked, _) => in_doubt.then(|| end(None, false)).flatten(),
            (Ending::Answered(status, _), _) if *status == StatusCode::SERVICE_UNAVAILABLE => {
                end(None, false)
            }
            (Ending::Answered(status, _), false) if status.is_server_error() => {
                in_doubt.then(|| end(None, false)).flatten()
            }
            (Ending::Answered(..), _) => end(self.ended, true),
        }
    }

    /// What became of the write at a step.
    pub(super) fn fate(&self, index: usize) -> Fate {
        let Some(note) = self.notes.get(index) else {
            return match self.ending {
                Ending::Dropped => Fate::Unknown,
                Ending::Panicked | Ending::Answered(..) => Fate::Refused,
            };
        };
        let mut in_doubt = false;
        let refused = |in_doubt| {
            if in_doubt {
                Fate::Unknown
            } else {
                Fate::Refused
            }
        };
        let first = if matches!(note.step, Step::Write(_)) {
            index + 1
        } else {
            index
        };
        for note in &self.notes[first..] {
            match (note.step, note.result) {
                (Step::Destroy | Step::Clear, _) | (_, Done::Failed(StatusCode::CONFLICT)) => {
                    return refused(in_doubt);
                }
                (_, Done::Failed(_)) => return Fate::Unknown,
                (_, Done::Cut) if note.is_own_update(index, first) => return Fate::Unknown,
                (_, Done::Cut) => in_doubt = true,
                (_, Done::Done) if note.saves() => return Fate::Acknowledged(note.at),
                (_, Done::Done | Done::Skipped) => {}
            }
        }
        match self.answered() {
            None if self.ending == Ending::Dropped => Fate::Unknown,
            Some(StatusCode::SERVICE_UNAVAILABLE) => Fate::Unknown,
            // The handler has ended the session, by a revocation perhaps.
            Some(_) if self.removed_its_cookie() => Fate::Unknown,
            None | Some(StatusCode::CONFLICT | StatusCode::INTERNAL_SERVER_ERROR) => {
                refused(in_doubt)
            }
            Some(_) => Fate::Acknowledged(self.ended.expect("an answer has a moment")),
        }
    }
}

impl Request {
    pub(super) fn removed_its_cookie(&self) -> bool {
        matches!(self.ending, Ending::Answered(_, Sent::Removal))
    }
}

impl Note {
    /// Whether the step stores what was asked for before it, but not what a live view holds.
    fn affirms(&self) -> bool {
        self.step == Step::RevokeOthers && self.result != Done::Skipped
    }

    /// Whether the step stores what was written before it.
    fn saves(&self) -> bool {
        use Step::{CutSave, CutUpdate, Save, Update};
        matches!(self.step, Save | Update(_) | CutSave(_) | CutUpdate(..))
    }

    /// Whether it is the very update whose write is asked for: cut short, nobody repeats it.
    fn is_own_update(&self, index: usize, first: usize) -> bool {
        index == first && matches!(self.step, Step::CutUpdate(..))
    }
}
