//! The state of a request's session, and what guards it; carries out nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue};
use tokio::sync::{Notify, watch};

use super::backend::Changed;
use super::http::{Arrival, OwnCookie};
use super::settings::{Config, ConfigError};
use crate::cookie::Connection;
use crate::data::Shape;
use crate::dialect::SessionCookie;
use crate::protocol::{Machine, Reader, Session, Standing};
use crate::record::Fields;
use crate::token::{Candidates, Way};

/// The state that the calls of one request share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    /// The cookie that a function has made of the request, where the layer has one.
    own_cookie: Option<Box<Result<OwnCookie, ConfigError>>>,
    /// How often a struct was read while a view of it was lent out.
    reads: AtomicU32,
    state: Mutex<State>,
    /// The calls that wait for the one under way.
    turn: Notify,
}

/// The part of it that changes while a request is served.
pub(super) struct State {
    /// The head's tokens, where the layer has read them before any extractor came.
    pub(super) arrival: Option<Arrival>,
    pub(super) way: Way,
    pub(super) connection: Connection,
    pub(super) machine: Machine,
    /// The waits for the end of the session.
    changed: Changed,
    /// The answers of the layers further in.
    pub(super) told_inside: Vec<(HeaderName, HeaderValue)>,
}

impl State {
    /// How the session stands, where somebody waits for a change of it.
    pub(super) fn watched_standing(&self) -> Option<Standing> {
        let session = &self.machine.session;
        self.changed.is_watched().then(|| session.standing())
    }

    /// Tells those who wait for a change, if there was one.
    pub(super) fn notify(&self, before: Option<Standing>) {
        if before.is_some_and(|before| before != self.machine.session.standing()) {
            self.changed.notify();
        }
    }

    /// Takes what the head says of the session.
    pub(super) fn take(&mut self, arrival: Arrival) -> Candidates {
        (self.way, self.connection) = (arrival.way, arrival.connection);
        self.machine.session.has_former_cookie = arrival.has_former_cookie;
        arrival.candidates
    }
}

/// The fields as a reader sees them.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) fields: Fields,
    /// Another one is due once something was changed since.
    pub(crate) generation: u32,
}

impl Shared {
    // Inlined, as `RequestSession::new` is.
    #[inline]
    pub(super) fn new(
        config: Arc<Config>,
        own_cookie: Option<Box<Result<OwnCookie, ConfigError>>>,
        arrival: Option<Arrival>,
    ) -> Self {
        let own = own_cookie.as_deref().and_then(|own| own.as_ref().ok());
        let initial_idle = match own {
            Some(own) => own.max_age,
            None => config.initial_idle(),
        };
        Self {
            config,
            own_cookie,
            reads: AtomicU32::new(0),
            state: Mutex::new(State {
                arrival,
                way: Way::default(),
                connection: Connection::default(),
                machine: Machine::new(Session::new(initial_idle)),
                changed: Changed::default(),
                told_inside: Vec::new(),
            }),
            turn: Notify::new(),
        }
    }

    /// The cookie that a function has made of the request, where the layer has one.
    pub(super) fn own_cookie(&self) -> Option<&Result<OwnCookie, ConfigError>> {
        self.own_cookie.as_deref()
    }

    /// The cookie of this request, and the connection it is for; none where the check has failed.
    pub(super) fn cookie(&self, connection: Connection) -> Option<(&SessionCookie, Connection)> {
        match self.own_cookie() {
            Some(Ok(own)) => Some((&own.cookie, own.connection)),
            Some(Err(_)) => None,
            None => Some((self.config.cookies.on(connection)?, connection)),
        }
    }

    /// Locks the state. It is consistent after each statement, so a panic elsewhere does not spoil it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn turn(&self) {
        self.turn.notified().await;
    }

    pub(super) fn next_turn(&self) {
        self.turn.notify_one();
    }

    /// The caller of a call has gone away.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        let before = state.watched_standing();
        state.machine.abandoned();
        state.notify(before);
    }

    /// Reads the fields, and tells the views of the struct that are lent out that they are not alone.
    pub(super) fn read(&self, session: &mut Session, shape: Shape, by: Reader) -> Read {
        if session.read(shape, by) {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        Read {
            fields: session.fields(),
            generation: session.generation,
        }
    }

    /// Nothing more is stored: the request has no response, or another call is still under way.
    pub(super) fn close(&self) {
        let mut state = self.state();
        let before = state.watched_standing();
        state.machine.session.close_in_haste();
        state.notify(before);
    }

    pub(super) fn is_to_end(&self) -> bool {
        self.state().machine.session.is_to_end()
    }

    /// How often a struct was read while a view of it was lent out.
    pub(super) fn reads(&self) -> u32 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How the session stands, and a way to hear of changes.
    pub(super) fn watch(&self) -> (watch::Receiver<()>, Standing) {
        let mut state = self.state();
        (state.changed.watch(), state.machine.session.standing())
    }
}
