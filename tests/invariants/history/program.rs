//! What a request does: a short random program, and the handler that runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use http::StatusCode;
use sessile::{Record, Session, SessionError, merge};

use super::journal::{Journal, Result};
use crate::invariants::schedule::{dropped_after, panic_quietly, step};
use crate::invariants::world::field;

/// Each write leaves its number in all of them.
#[derive(Session, Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Log {
    #[session(merge = merge::Append)]
    pub(super) entries: Vec<u32>,
    #[session(merge = merge::Sum)]
    pub(super) count: usize,
    #[session(merge = merge::Union)]
    pub(super) set: BTreeSet<u32>,
    #[session(merge = merge::PerKey<merge::Sum>)]
    pub(super) by_parity: BTreeMap<u32, usize>,
}

impl Log {
    fn write(&mut self, number: u32) {
        self.entries.push(number);
        self.count += 1;
        self.set.insert(number);
        *self.by_parity.entry(number % 2).or_default() += 1;
    }

    pub(super) fn of(record: &Record) -> Self {
        Self {
            entries: field(record, "log", "entries"),
            count: field(record, "log", "count"),
            set: field(record, "log", "set"),
            by_parity: field(record, "log", "by_parity"),
        }
    }

    fn copy(log: &Session<Self>) -> Self {
        Self::clone(log)
    }
}

/// One step of a handler. Each write has a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Pause,
    Write(u32),
    Save,
    Update(u32),
    /// A `save` that is dropped after so many polls.
    CutSave(usize),
    CutUpdate(u32, usize),
    Renew,
    /// The live view is handed over before, so that it does not bring back what it holds.
    Clear,
    Destroy,
}

/// How a handler ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Answer(StatusCode),
    Panic,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) exit: Exit,
}

impl Program {
    /// The program that begins a session.
    pub(super) fn first() -> Self {
        Self {
            steps: vec![Step::Write(0)],
            exit: Exit::Answer(StatusCode::OK),
        }
    }

    pub(super) fn random(rng: &mut Rng) -> Self {
        let mut steps: Vec<Step> = (0..rng.usize(..6)).map(|_| Step::random(rng)).collect();
        // After a `clear` the live view is gone.
        if let Some(clear) = steps.iter().position(|step| *step == Step::Clear) {
            steps.retain_from(clear);
        }
        let exit = match rng.u8(..10) {
            0 => Exit::Panic,
            1 => Exit::Answer(StatusCode::INTERNAL_SERVER_ERROR),
            2 => Exit::Answer(StatusCode::NOT_FOUND),
            _ => Exit::Answer(StatusCode::OK),
        };
        Self { steps, exit }
    }
}

trait RetainFrom {
    fn retain_from(&mut self, clear: usize);
}

impl RetainFrom for Vec<Step> {
    /// Leaves only pauses and ends after the `clear`.
    fn retain_from(&mut self, clear: usize) {
        let mut index = 0;
        self.retain(|step| {
            index += 1;
            index <= clear + 1 || matches!(step, Step::Pause | Step::Renew | Step::Destroy)
        });
    }
}

impl Step {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..40) {
            0..10 => Self::Pause,
            10..22 => Self::Write(0),
            22..26 => Self::Save,
            26..30 => Self::Update(0),
            30..33 => Self::CutSave(rng.usize(..12)),
            33..35 => Self::CutUpdate(0, rng.usize(..12)),
            35..37 => Self::Renew,
            37 => Self::Clear,
            38.. => Self::Destroy,
        }
    }
}

/// A request on its way, for the handler to write down what it does.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) number: usize,
    pub(super) program: Program,
    pub(super) journal: Arc<Mutex<Journal>>,
}

impl Running {
    fn note(&self, step: usize, result: Result) {
        self.journal.lock().unwrap().note(self.number, step, result);
    }
}

/// Runs a program; an error ends it, as `?` does.
pub(super) async fn run(log: Session<Log>, Extension(running): Extension<Running>) -> Response {
    let opened = (Session::handle(&log).is_new(), Log::copy(&log));
    running.journal.lock().unwrap().open(running.number, opened);
    let mut log = Some(log);
    let session = log
        .as_ref()
        .map(Session::handle)
        .expect("it was just put there");
    for (index, &step) in running.program.steps.iter().enumerate() {
        let done = match step {
            Step::Renew => {
                session.renew();
                Ok(Some(()))
            }
            Step::Clear => {
                drop(log.take());
                session.clear();
                Ok(Some(()))
            }
            Step::Destroy => {
                session.destroy();
                Ok(Some(()))
            }
            step => run_on_view(&mut log, step).await,
        };
        match done {
            Ok(Some(())) => running.note(index, Result::Done),
            Ok(None) => running.note(index, Result::Cut),
            Err(error) => {
                running.note(index, Result::Failed(error.status()));
                return error.into_response();
            }
        }
    }
    match running.program.exit {
        Exit::Answer(status) => status.into_response(),
        Exit::Panic => panic_quietly(),
    }
}

/// `None` if the step was cut short.
async fn run_on_view(
    log: &mut Option<Session<Log>>,
    next: Step,
) -> std::result::Result<Option<()>, SessionError> {
    let Some(log) = log else {
        step().await;
        return Ok(Some(()));
    };
    match next {
        Step::Write(number) => {
            log.write(number);
            Ok(Some(()))
        }
        Step::Save => Session::save(log).await.map(Some),
        Step::Update(number) => Session::update(log, |log| log.write(number))
            .await
            .map(Some),
        Step::CutSave(polls) => dropped_after(polls, Session::save(log)).await.transpose(),
        Step::CutUpdate(number, polls) => {
            let update = Session::update(log, |log| log.write(number));
            dropped_after(polls, update).await.transpose()
        }
        Step::Pause | Step::Renew | Step::Clear | Step::Destroy => {
            step().await;
            Ok(Some(()))
        }
    }
}
