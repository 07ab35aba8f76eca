//! What happened in one history, in order; judges nothing.

use std::fmt;

use http::StatusCode;
use sessile::{StoreKey, Stored};

use super::program::{Account, Log, Program, Step};
use crate::invariants::world::{CookieChange, key_of};

/// A moment of a history: everything that is written down has one of its own.
pub(super) type Tick = usize;

#[derive(Default, Debug)]
pub(super) struct Journal {
    now: Tick,
    writes: u32,
    pub(super) requests: Vec<Request>,
    /// All ids that were drawn, in order, and by which request.
    pub(super) ids: Vec<Id>,
    drawn_by: Vec<(usize, Tick)>,
    /// When so much time passed at once that all that was stored expired.
    pub(super) jump: Option<Tick>,
    pub(super) revocations: Vec<Revocation>,
}

#[derive(Debug)]
pub(super) struct Revocation {
    pub(super) by: usize,
    pub(super) user: u64,
    /// Whose sign-in it spares: that of the request itself, or of its session.
    pub(super) spares: usize,
    pub(super) from: Tick,
    /// When it was acknowledged.
    pub(super) until: Option<Tick>,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) key: Option<StoreKey>,
    pub(super) program: Program,
    pub(super) invoked: Tick,
    pub(super) opened: Option<Opened>,
    /// Each step that was done, or tried.
    pub(super) notes: Vec<Note>,
    pub(super) ended: Option<Tick>,
    pub(super) ending: Ending,
    /// The text of an answer that is an error of the server.
    pub(super) said: String,
}

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) at: Tick,
    pub(super) is_new: bool,
    pub(super) log: Log,
    pub(super) account: Option<Account>,
}

#[derive(Debug)]
pub(super) struct Note {
    pub(super) at: Tick,
    pub(super) step: Step,
    pub(super) result: Result,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    Done,
    Cut,
    /// There was nothing to do.
    Skipped,
    Failed(StatusCode),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Dropped,
    Panicked,
    Answered(StatusCode, Sent),
}

/// What an answer did to the cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    Cookie(StoreKey),
    Removal,
}

#[derive(Debug)]
pub(super) struct Id {
    pub(super) key: StoreKey,
    pub(super) by: usize,
    pub(super) drawn: Tick,
    /// What is stored under it in the end.
    pub(super) stored: Option<Log>,
    /// Whether what is stored has no field and no owner.
    pub(super) is_empty: bool,
    pub(super) account: Option<Account>,
}

/// A line for each request and each id.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, request) in self.requests.iter().enumerate() {
            writeln!(f, "{number}: {request:?}")?;
        }
        for id in &self.ids {
            writeln!(f, "{id:?}")?;
        }
        for revocation in &self.revocations {
            writeln!(f, "{revocation:?}")?;
        }
        writeln!(f, "all that was stored expired at {:?}", self.jump)
    }
}

impl Sent {
    pub(super) fn of(cookie: &CookieChange) -> Self {
        match cookie {
            CookieChange::Untouched => Self::Nothing,
            CookieChange::Set(token) => Self::Cookie(key_of(token)),
            CookieChange::Removed => Self::Removal,
        }
    }
}

impl Journal {
    fn tick(&mut self) -> Tick {
        self.now += 1;
        self.now
    }

    /// Gives each write of a program a number that no other has.
    fn number_writes(&mut self, program: &mut Program) {
        for step in &mut program.steps {
            if let Step::Write(number) | Step::Update(number) | Step::CutUpdate(number, _) = step {
                self.writes += 1;
                *number = self.writes;
            }
        }
    }

    /// Opens the entry of a request.
    pub(super) fn invoke(
        &mut self,
        key: Option<StoreKey>,
        mut program: Program,
    ) -> (usize, Program) {
        let invoked = self.tick();
        self.number_writes(&mut program);
        self.requests.push(Request {
            key,
            program: program.clone(),
            invoked,
            opened: None,
            notes: Vec::new(),
            ended: None,
            ending: Ending::Dropped,
            said: String::new(),
        });
        (self.requests.len() - 1, program)
    }

    pub(super) fn open(
        &mut self,
        request: usize,
        (is_new, log, account): (bool, Log, Option<Account>),
    ) {
        let at = self.tick();
        self.requests[request].opened = Some(Opened {
            at,
            is_new,
            log,
            account,
        });
    }

    /// Which one it is, for when it is acknowledged.
    pub(super) fn begin_revocation(&mut self, by: usize, user: u64, spares: usize) -> usize {
        let from = self.tick();
        self.revocations.push(Revocation {
            by,
            user,
            spares,
            from,
            until: None,
        });
        self.revocations.len() - 1
    }

    pub(super) fn end_revocation(&mut self, revocation: usize) {
        self.revocations[revocation].until = Some(self.tick());
    }

    pub(super) fn note(&mut self, request: usize, step: usize, result: Result) {
        let at = self.tick();
        let request = &mut self.requests[request];
        let step = request.program.steps[step];
        request.notes.push(Note { at, step, result });
    }

    pub(super) fn draw(&mut self, request: usize) {
        let at = self.tick();
        self.drawn_by.push((request, at));
    }

    pub(super) fn end(&mut self, request: usize, ending: Ending) {
        let at = self.tick();
        let request = &mut self.requests[request];
        // Nobody knows when what a dropped request had begun comes to its end.
        request.ended = (ending != Ending::Dropped).then_some(at);
        request.ending = ending;
    }

    pub(super) fn say(&mut self, request: usize, said: String) {
        self.requests[request].said = said;
    }

    pub(super) fn jump(&mut self) {
        self.jump = Some(self.tick());
    }

    pub(super) fn finish(&mut self, keys: &[StoreKey], stored: &[(StoreKey, Stored)]) {
        let found = |key: &StoreKey| {
            let found = stored.iter().find(|(found, _)| found == key);
            found.map(|(_, stored)| &stored.record)
        };
        let ids = keys.iter().zip(&self.drawn_by);
        self.ids = ids
            .map(|(key, (by, drawn))| Id {
                key: *key,
                by: *by,
                drawn: *drawn,
                stored: found(key).map(Log::of),
                is_empty: found(key)
                    .is_some_and(|record| record.fields.is_empty() && record.owners.is_empty()),
                account: found(key).and_then(Account::of),
            })
            .collect();
    }
}
