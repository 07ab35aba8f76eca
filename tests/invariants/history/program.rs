//! What a request does: a short random program, and the handler that runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use http::StatusCode;
use sessile::{Record, Session, SessionError, SessionHandle, Sessions, merge};

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

/// Who has signed in.
#[derive(Session, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    #[session(required, owner)]
    pub(super) user: u64,
    /// The request that signed in.
    pub(super) by: usize,
}

impl Account {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let user = field::<Option<u64>>(record, "account", "user")?;
        let by = field(record, "account", "by");
        Some(Self { user, by })
    }
}

#[derive(Session)]
struct Rights {
    #[session(privilege)]
    level: u32,
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
    /// One of two owners signs in, or loses all sessions.
    SignIn(u64),
    RevokeAll(u64),
    RevokeOthers,
    Promote,
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

    /// `owned` says whether owners sign in and revoke.
    pub(super) fn random(rng: &mut Rng, owned: bool) -> Self {
        let step = |rng: &mut Rng| {
            if owned && rng.u8(..3) == 0 {
                Step::of_an_owner(rng)
            } else {
                Step::random(rng)
            }
        };
        let mut steps: Vec<Step> = (0..rng.usize(..6)).map(|_| step(rng)).collect();
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

impl Step {
    fn of_an_owner(rng: &mut Rng) -> Self {
        let owner = rng.u64(..2);
        match rng.u8(..10) {
            0..4 => Self::SignIn(owner),
            4..6 => Self::Promote,
            6..8 => Self::RevokeAll(owner),
            _ => Self::RevokeOthers,
        }
    }

    /// Whether the session gets another id.
    pub(super) fn rotates(self) -> bool {
        matches!(
            self,
            Self::Renew | Self::Clear | Self::SignIn(_) | Self::Promote
        )
    }

    pub(super) fn revokes(self) -> bool {
        matches!(self, Self::RevokeAll(_) | Self::RevokeOthers)
    }
}

/// A request on its way, for the handler to write down what it does.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) number: usize,
    pub(super) program: Program,
    pub(super) journal: Arc<Mutex<Journal>>,
    /// The first of the two owners of this history.
    pub(super) users: u64,
}

impl Running {
    fn note(&self, step: usize, result: Result) {
        self.journal.lock().unwrap().note(self.number, step, result);
    }
}

/// Runs a program; an error ends it, as `?` does.
pub(super) async fn run(
    log: Session<Log>,
    session: SessionHandle,
    all: Sessions,
    Extension(running): Extension<Running>,
) -> Response {
    let account = session.get::<Account>().ok().flatten();
    let opened = (session.is_new(), Log::copy(&log), account);
    running.journal.lock().unwrap().open(running.number, opened);
    let mut log = Some(log);
    for (index, &step) in running.program.steps.iter().enumerate() {
        let done = match step {
            Step::Renew => {
                session.renew();
                Ok(Result::Done)
            }
            Step::Clear => {
                drop(log.take());
                session.clear();
                Ok(Result::Done)
            }
            Step::Destroy => {
                session.destroy();
                Ok(Result::Done)
            }
            Step::SignIn(_) | Step::Promote | Step::RevokeAll(_) | Step::RevokeOthers => {
                run_on_owner(&running, &session, &all, step).await
            }
            step => run_on_view(&mut log, step).await,
        };
        match done {
            Ok(result) => running.note(index, result),
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

async fn run_on_owner(
    running: &Running,
    session: &SessionHandle,
    all: &Sessions,
    step: Step,
) -> std::result::Result<Result, SessionError> {
    let by = running.number;
    let begin = |user, spares| {
        let mut journal = running.journal.lock().unwrap();
        journal.begin_revocation(by, user, spares)
    };
    let revocation = match step {
        Step::SignIn(owner) => {
            let user = running.users + owner;
            return session.insert(Account { user, by }).map(|()| Result::Done);
        }
        Step::Promote => {
            let level = session.get::<Rights>()?.map_or(0, |rights| rights.level);
            let level = level + 1;
            return session.insert(Rights { level }).map(|()| Result::Done);
        }
        Step::RevokeAll(owner) => {
            let user = running.users + owner;
            let revocation = begin(user, by);
            all.revoke_all::<Account>(&user).await?;
            revocation
        }
        _ => {
            let Some(account) = session.get::<Account>()? else {
                return Ok(Result::Skipped);
            };
            let revocation = begin(account.user, account.by);
            all.revoke_others().await?;
            revocation
        }
    };
    running.journal.lock().unwrap().end_revocation(revocation);
    Ok(Result::Done)
}

/// A step on the live view; it may be cut short.
async fn run_on_view(
    log: &mut Option<Session<Log>>,
    next: Step,
) -> std::result::Result<Result, SessionError> {
    let Some(log) = log else {
        step().await;
        return Ok(Result::Done);
    };
    let done = match next {
        Step::Write(number) => {
            log.write(number);
            Some(())
        }
        Step::Save => Some(Session::save(log).await?),
        Step::Update(number) => Some(Session::update(log, |log| log.write(number)).await?),
        Step::CutSave(polls) => dropped_after(polls, Session::save(log)).await.transpose()?,
        Step::CutUpdate(number, polls) => {
            let update = Session::update(log, |log| log.write(number));
            dropped_after(polls, update).await.transpose()?
        }
        _ => {
            step().await;
            Some(())
        }
    };
    Ok(if done.is_some() {
        Result::Done
    } else {
        Result::Cut
    })
}
