//! Carries out the calls of a request: asks the store what the machine asks, and hands back its replies. The
//! only place of the layer that waits for a store.
//!
//! While the store has its answers at hand, a call runs on in the same function, without a future. Only
//! where an answer has to be waited for is the rest boxed, once.

use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::MutexGuard;

use super::backend::{Asked, Waiting};
use super::error::SessionError;
use super::events;
use super::settings::Config;
use super::shared::{Read, Shared, State};
use super::work::Later;
use crate::data::{Change, Shape};
use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::protocol::{
    Call, Done, Draw, Event, Fault, Inputs, Reader, Refusal, Reply, Step, Token,
};
use crate::record::{Fields, Revision};
use crate::store::StoreError;

/// Makes changes of the newest fields, for an update.
pub(crate) type Closure<'c> = dyn FnMut(&Fields) -> Result<Vec<Change>, Refusal> + Send + 'c;

/// How a request ends.
pub(super) struct Ending {
    pub(super) token: Token,
    /// The error that takes the place of the handler's response.
    pub(super) instead: Option<SessionError>,
}

impl Ending {
    pub(super) fn instead(error: SessionError) -> Self {
        Self {
            token: Token::Keep,
            instead: Some(error),
        }
    }
}

/// Carries out a call.
pub(super) async fn run<'s>(
    session: &'s Shared,
    call: Call,
    closure: Option<&'s mut Closure<'s>>,
) -> Result<Done, SessionError> {
    let mut drive = Drive::new(session);
    drive.closure = closure;
    let ended = drive.run(call).await;
    ended.map_err(|refusal| drive.error(refusal))
}

/// Carries out a call, and reads a struct as it stands then.
pub(super) async fn run_and_read(
    session: &Shared,
    call: Call,
    reads: Option<Shape>,
) -> Result<Read, SessionError> {
    let mut drive = Drive::new(session);
    drive.reads = reads;
    let ended = drive.run(call).await;
    ended.map_err(|refusal| drive.error(refusal))?;
    Ok(mem::take(&mut drive.read))
}

/// Carries out the commit that `call` makes of the request: at once, or by a future that owns the session.
pub(super) fn commit<S: Deref<Target = Shared> + Send + Sync + 'static>(
    session: &Arc<S>,
    call: impl FnOnce(&mut State) -> Call,
) -> Result<Ending, Later<Ending>> {
    let mut drive = Drive::new(session);
    drive.closes = true;
    let step = match drive.begin(call) {
        Ok(step) => step,
        Err(call) => return Err(commit_later(Arc::clone(session), call)),
    };
    let step = if session.config.backend.is_at_hand() {
        match drive.advance(step) {
            Ok(ended) => return Ok(drive.ending(ended)),
            Err(Wait::Pause(longest)) => Step::Pause(longest),
            Err(Wait::Queue(key)) => Step::Queue(key),
            Err(Wait::Store(_)) => drive.answered(Err(StoreError::unavailable(
                "the store says that its answers are at hand, and has one later",
            ))),
        }
    } else {
        step
    };
    if let Step::Done(ended) = step {
        drive.over();
        return Ok(drive.ending(ended));
    }
    // From here on the future carries the call.
    let (error, now) = (drive.error.take(), drive.now);
    drive.is_over = true;
    let carried = Carried(Some(Arc::clone(session)));
    Err(Box::pin(async move {
        let mut carried = carried;
        let session = carried.0.clone().expect("the commit has not ended");
        let mut drive = Drive::new(&session);
        (drive.error, drive.now) = (error, now);
        let ended = match drive.advance(step) {
            Ok(ended) => ended,
            Err(wait) => drive.go_on(wait).await,
        };
        carried.0 = None;
        drive.ending(ended)
    }))
}

/// Carries out a commit by a future that owns the session, once it is its turn.
pub(super) fn commit_later<S: Deref<Target = Shared> + Send + Sync + 'static>(
    session: Arc<S>,
    call: Call,
) -> Later<Ending> {
    Box::pin(async move {
        let mut drive = Drive::new(&session);
        drive.closes = true;
        let ended = drive.run(call).await;
        drive.ending(ended)
    })
}

/// A commit that a future carries. Where that is dropped before its end, the call is abandoned.
struct Carried<S: Deref<Target = Shared>>(Option<Arc<S>>);

impl<S: Deref<Target = Shared>> Drop for Carried<S> {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            session.abandon();
            session.close();
            session.next_turn();
        }
    }
}

/// A call that is under way. One that is dropped before its end is abandoned.
struct Drive<'s> {
    session: &'s Shared,
    closure: Option<&'s mut Closure<'s>>,
    /// The struct that is read once the call has ended, and what is read.
    reads: Option<Shape>,
    read: Read,
    /// The last error of the store.
    error: Option<StoreError>,
    now: Timestamp,
    /// A place in the line of those who write the session.
    line: Option<MutexGuard<'s, ()>>,
    is_over: bool,
    /// The call is a commit: nothing is stored any more where it is abandoned.
    closes: bool,
}

/// A wait of a call.
enum Wait<'s> {
    Store(Waiting<'s>),
    Pause(Duration),
    Queue(StoreKey),
}

type Ended = Result<Done, Refusal>;

impl<'s> Drive<'s> {
    fn new(session: &'s Shared) -> Self {
        Self {
            session,
            closure: None,
            reads: None,
            read: Read::default(),
            error: None,
            now: Timestamp::default(),
            line: None,
            is_over: true,
            closes: false,
        }
    }

    async fn run(&mut self, call: Call) -> Ended {
        let step = match self.begin(|_| call) {
            Ok(step) => step,
            Err(call) => Box::pin(self.begin_in_turn(call)).await?,
        };
        match self.advance(step) {
            Ok(ended) => ended,
            Err(wait) => Box::pin(self.go_on(wait)).await,
        }
    }

    /// Begins a call, unless another one of the request is under way.
    fn begin(&mut self, call: impl FnOnce(&mut State) -> Call) -> Result<Step<Done>, Call> {
        self.step(|state, inputs| {
            let call = call(state);
            if state.machine.is_busy() {
                return Err(call);
            }
            Ok(state.machine.begin(call, inputs))
        })
        .inspect(|_| self.is_over = false)
    }

    /// Begins a call once it is its turn, but waits no longer than for a store.
    async fn begin_in_turn(&mut self, mut call: Call) -> Result<Step<Done>, Refusal> {
        let config = &self.session.config;
        let ends = matches!(call, Call::Destroy) || self.session.is_to_end();
        let turn = async {
            loop {
                self.session.turn().await;
                match self.begin(|_| call) {
                    Ok(step) => return step,
                    Err(again) => call = again,
                }
            }
        };
        // An end is carried out however long it waits: each question to the store has its deadline.
        if ends {
            return Ok(turn.await);
        }
        let turn = tokio::time::timeout(config.backend.timeout, turn);
        turn.await.map_err(|_elapsed| Refusal::Contended)
    }

    /// Goes on while the store has its answers at hand.
    fn advance(&mut self, mut step: Step<Done>) -> Result<Ended, Wait<'s>> {
        let config = &self.session.config;
        loop {
            step = match step {
                Step::Ask(question) => match config.ask(question, self.now) {
                    Asked::Now(reply) => self.answered(reply),
                    Asked::Later(waiting) => return Err(Wait::Store(waiting)),
                },
                Step::Run(fields) => {
                    let closure = self.closure.as_mut();
                    let closure = closure.expect("an update has a closure");
                    let changes = closure(&fields);
                    self.step(|state, inputs| state.machine.ran(changes, inputs))
                }
                Step::Pause(longest) => return Err(Wait::Pause(longest)),
                Step::Queue(key) => return Err(Wait::Queue(key)),
                Step::Done(ended) => {
                    self.over();
                    return Ok(ended);
                }
            }
        }
    }

    async fn go_on(&mut self, mut wait: Wait<'s>) -> Ended {
        let config = &self.session.config;
        loop {
            let step = match wait {
                Wait::Store(waiting) => {
                    let reply = config.backend.wait(waiting).await;
                    self.answered(reply)
                }
                Wait::Pause(longest) => {
                    let micros = u64::try_from(longest.as_micros()).expect("a pause is short");
                    let pause = Duration::from_micros(fastrand::u64(0..=micros));
                    tokio::time::sleep(pause).await;
                    self.step(|state, inputs| state.machine.resumed(inputs))
                }
                Wait::Queue(key) => {
                    let backend = &config.backend;
                    self.line = backend.turns.wait(&key, backend.timeout).await;
                    self.step(|state, inputs| state.machine.resumed(inputs))
                }
            };
            match self.advance(step) {
                Ok(ended) => return ended,
                Err(next) => wait = next,
            }
        }
    }

    fn answered(&mut self, reply: Result<Reply, StoreError>) -> Step<Done> {
        let reply = reply.map_err(|error| {
            let fault = if error.is_refusal() {
                Fault::Refused
            } else {
                Fault::Unknown
            };
            self.error = Some(error);
            fault
        });
        self.step(|state, inputs| state.machine.answered(reply, inputs))
    }

    /// Takes one step of the machine. Events are logged once the lock is released, as a listener may ask the
    /// session.
    fn step<T>(&mut self, step: impl FnOnce(&mut State, &mut Inputs<'_>) -> T) -> T {
        let session = self.session;
        let config = &session.config;
        self.now = config.now();
        let mut draw = Random {
            config,
            now: self.now,
        };
        let mut state = session.state();
        let before = state.watched_standing();
        let cookie = session.cookie(state.connection);
        let mut inputs = Inputs {
            rules: &config.rules,
            cookie: cookie.and_then(|(cookie, _)| cookie.object.as_ref()),
            now: self.now,
            draw: &mut draw,
        };
        let done = step(&mut state, &mut inputs);
        state.notify(before);
        let news = state.machine.news();
        if let Some(shape) = self.reads.filter(|_| !state.machine.is_busy()) {
            self.read = session.read(&mut state.machine.session, shape, Reader::Extractor);
        }
        drop(state);
        for event in news {
            self.say(&event);
        }
        done
    }

    fn say(&self, event: &Event) {
        let config = &self.session.config;
        match event {
            Event::NotFound(key) | Event::Expired(key) | Event::Gone(key, _) => {
                config.backend.registry.ended(*key);
            }
            Event::Rotated { from, .. } => config.backend.registry.ended(*from),
            _ => {}
        }
        events::say(event, self.error.as_ref(), config.rules.max_sessions);
    }

    fn over(&mut self) {
        self.is_over = true;
        self.line = None;
        self.session.next_turn();
    }

    fn error(&mut self, refusal: Refusal) -> SessionError {
        SessionError::new(refusal, self.error.take())
    }

    fn ending(&mut self, ended: Ended) -> Ending {
        let (token, instead) = match ended {
            Ok(Done::Response { token, instead }) => (token, instead),
            Ok(Done::Plain | Done::Ended(_)) => (Token::Keep, None),
            // Another call is still under way.
            Err(refusal) => {
                self.session.close();
                (Token::Keep, Some(refusal))
            }
        };
        Ending {
            token,
            instead: instead.map(|refusal| self.error(refusal)),
        }
    }
}

impl Drop for Drive<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.session.abandon();
            if self.closes {
                self.session.close();
            }
            self.session.next_turn();
        }
    }
}

/// Draws ids and revisions.
struct Random<'c> {
    config: &'c Config,
    now: Timestamp,
}

impl Draw for Random<'_> {
    fn id(&mut self) -> SessionId {
        self.config.new_id()
    }

    fn revision(&mut self) -> Revision {
        Config::new_revision(self.now)
    }
}
