//! The calls of a request: what the layer and the extractors do with its session.

use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::driver::{self, Closure, Ending};
use super::error::SessionError;
use super::events;
use super::http::{Arrival, OwnCookie};
use super::settings::{Config, ConfigError};
use super::shared::{Read, Shared};
use super::work::{Later, Untold, Work};
use crate::cookie::Connection;
use crate::data::{Change, Shape};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::protocol::{Call, Done, Idle, Phase, Place, Reader, Savepoint, Wanted};
use crate::record::Fields;
use crate::token::Way;

/// The session of one request.
///
/// The layer puts one into every request; nothing is read or asked until an extractor comes.
pub(crate) struct RequestSession {
    shared: Shared,
    /// The session of another layer of ours, further out.
    outer: Option<Arc<RequestSession>>,
    /// An extractor has asked for the session.
    asked: AtomicBool,
    /// A layer further in has answered under the same name: this one stands aside.
    is_overruled: AtomicBool,
    /// The commit has begun.
    is_committed: AtomicBool,
}

impl Deref for RequestSession {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// For the layer.
impl RequestSession {
    // Inlined, so that it is made where it will lie: it is large, and each request has one.
    #[inline]
    pub(super) fn new(
        config: Arc<Config>,
        own_cookie: Option<Box<Result<OwnCookie, ConfigError>>>,
        arrival: Option<Arrival>,
        outer: Option<Arc<Self>>,
    ) -> Self {
        Self {
            shared: Shared::new(config, own_cookie, arrival),
            outer,
            asked: AtomicBool::new(false),
            is_overruled: AtomicBool::new(false),
            is_committed: AtomicBool::new(false),
        }
    }

    /// A session for work without a request.
    pub(crate) fn of_no_request(config: Arc<Config>) -> Self {
        Self::new(config, None, None, None)
    }

    /// Returns `true` if the response depends on the session.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// How the token travels, and whether cookies of earlier deploys go with it.
    pub(super) fn way(&self) -> (Way, Connection, bool) {
        let state = self.state();
        let has_former_cookie = state.machine.session.has_former_cookie;
        (state.way, state.connection, has_former_cookie)
    }

    pub(super) fn is_of(&self, config: &Arc<Config>) -> bool {
        Arc::ptr_eq(&self.config, config)
    }

    /// Tells the layers further out of a token: it reaches the visitor whatever they answer.
    pub(super) fn tell_outside(&self, name: &HeaderName, token: &HeaderValue) {
        let mut outer = self.outer.as_ref();
        while let Some(session) = outer {
            let mut state = session.state();
            state.told_inside.push((name.clone(), token.clone()));
            drop(state);
            outer = session.outer.as_ref();
        }
    }

    /// The tokens of the layers further in.
    pub(super) fn told_inside(&self) -> Vec<(HeaderName, HeaderValue)> {
        mem::take(&mut self.state().told_inside)
    }

    /// Has the layers further out stand aside that have the same cookie.
    fn take_precedence(&self) {
        let mut outer = self.outer.as_ref();
        while let Some(session) = outer {
            if session.config.cookie_name == self.config.cookie_name {
                session.is_overruled.store(true, Ordering::Relaxed);
            }
            outer = session.outer.as_ref();
        }
    }

    /// Ends the request: stores what it changed, and tells what the response must say. `None` where nobody
    /// has asked for the session.
    pub(super) fn commit(
        self: &Arc<Self>,
        is_dropped: bool,
    ) -> Option<Result<Ending, Work<Ending>>> {
        if !self.asked.load(Ordering::Relaxed) && !self.config.rules.concern_all() {
            return None;
        }
        if self.outer.is_some() {
            self.take_precedence();
        }
        if self.stands_aside() {
            return None;
        }
        if self.config.rules.concern_all()
            && self.state().arrival.is_some()
            && let Err(error) = self.check_cookie()
        {
            self.close();
            return Some(Ok(Ending::instead(error.into())));
        }
        self.is_committed.store(true, Ordering::Relaxed);
        let commit = driver::commit(self, |state| {
            let arrival = state.arrival.take();
            // From here on the commit is carried out, whoever leaves, and if it has to wait for its turn.
            state.machine.session.phase = Phase::Committing;
            Call::Commit {
                unopened: arrival.map(|arrival| state.take(arrival)),
                is_dropped,
                by_cookie: state.way == Way::Cookie,
            }
        });
        Some(commit.map_err(|later| self.work(later, not_committed)))
    }

    /// Returns `true` if a layer further in has answered under the same name, and drops what was done to this
    /// one's session then.
    fn stands_aside(self: &Arc<Self>) -> bool {
        if !self.is_overruled.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.state();
        let session = &state.machine.session;
        let (has_changes, key) = (!session.pending.is_empty(), session.key());
        let ends = session.is_to_end();
        drop(state);
        if !ends {
            self.close();
        }
        if has_changes {
            events::stood_aside(key);
        }
        if ends {
            self.end_apart();
        }
        true
    }

    /// Ends a request that has no response: its handler has panicked, or its visitor has gone away.
    pub(super) fn end_without_response(self: &Arc<Self>) {
        // Most often the commit has begun, or nobody has a part of the session.
        let is_alone = !self.is_asked() && Arc::strong_count(self) == 1;
        if is_alone || self.is_committed.load(Ordering::Relaxed) {
            return;
        }
        let (phase, ends) = {
            let state = self.state();
            let session = &state.machine.session;
            (session.phase, session.is_to_end())
        };
        if ends && phase == Phase::Handling {
            self.end_apart();
        } else if phase == Phase::Handling {
            self.close();
        }
    }

    /// Ends a session by a task: no response tells of it.
    fn end_apart(self: &Arc<Self>) {
        self.state().machine.session.phase = Phase::Committing;
        let call = Call::Commit {
            unopened: None,
            is_dropped: true,
            by_cookie: false,
        };
        let commit = driver::commit_later(Arc::clone(self), call);
        self.work(commit, not_committed).spawn();
    }

    pub(super) fn savepoint(&self) -> Savepoint {
        self.state().machine.session.savepoint()
    }

    pub(super) fn roll_back(&self, savepoint: Savepoint) {
        self.state().machine.session.roll_back(savepoint);
    }

    fn work<T: Send>(&self, future: Later<T>, untold: Untold<T>) -> Work<T> {
        Work::new(&self.config.drain, self.key(), future, untold)
    }
}

/// For extractors.
impl RequestSession {
    /// Checks the cookie that a function has made of the request. A session that no cookie could follow is not
    /// loaded.
    pub(crate) fn check_cookie(&self) -> Result<(), ConfigError> {
        match self.shared.own_cookie() {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Loads the session the first time an extractor asks, and reads a struct of it.
    pub(crate) async fn open(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        reads: Option<Shape>,
    ) -> Result<Read, SessionError> {
        let is_first = !self.asked.swap(true, Ordering::Relaxed);
        if !is_first {
            let mut state = self.state();
            let session = &mut state.machine.session;
            if session.is_read() {
                let read = reads.map(|shape| self.read(session, shape, Reader::Extractor));
                return Ok(read.unwrap_or_default());
            }
        }
        let arrival = self.early_arrival();
        let arrival = arrival.unwrap_or_else(|| self.config.arrival(uri, headers));
        let candidates = self.state().take(arrival);
        driver::run_and_read(self, Call::Open(candidates), reads).await
    }

    fn early_arrival(&self) -> Option<Arrival> {
        if !self.config.rules.concern_all() {
            return None;
        }
        self.state().arrival.take()
    }

    /// The fields as a reader of this struct sees them.
    pub(crate) fn fields(&self, shape: Shape, at: Place) -> Read {
        self.read(&mut self.state().machine.session, shape, Reader::At(at))
    }

    pub(crate) fn is_new(&self) -> bool {
        !self.state().machine.session.came_with_one
    }

    /// The key of the session, where one is stored.
    pub(crate) fn key(&self) -> Option<StoreKey> {
        self.state().machine.session.key()
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        let state = self.state();
        let stored = state.machine.session.link.stored();
        stored.map(|stored| stored.expires)
    }

    /// The fields that are known to be stored.
    pub(crate) fn stored_fields(&self) -> Fields {
        self.state().machine.session.stored_fields().clone()
    }

    /// Which state of the session a reader sees.
    pub(crate) fn generation(&self) -> u32 {
        self.state().machine.session.generation
    }

    /// A part of the handler unwinds: what the request has not stored is dropped. An end stays.
    pub(crate) fn panicked(&self) {
        let mut state = self.state();
        let is_busy = state.machine.is_busy();
        let session = &mut state.machine.session;
        if session.phase != Phase::Handling {
            return;
        }
        let (has_changes, key) = (!session.pending.is_empty(), session.key());
        session.drop_changes();
        if !is_busy {
            session.drop_held();
        }
        drop(state);
        if has_changes {
            events::unwound(key);
        }
    }

    /// Puts a struct in, or takes it out.
    pub(crate) fn push(&self, shape: Shape, change: Change) -> Result<(), SessionError> {
        let pushed = self.state().machine.session.push(shape, change);
        pushed.map_err(|refusal| SessionError::new(refusal, None))
    }

    /// Empties the session; its id changes with it.
    pub(crate) fn clear(&self) {
        let (is_noted, key) = {
            let mut state = self.state();
            let session = &mut state.machine.session;
            (session.clear(), session.key())
        };
        if !is_noted {
            events::no_effect(key, "clear");
        }
    }

    pub(crate) fn renew(&self) {
        self.note("renew", |changes| changes.renew = true);
    }

    pub(crate) fn set_idle(&self, idle: Duration) {
        self.note("set_max_age", |changes| {
            changes.idle = Idle::Set(idle);
        });
    }

    pub(crate) fn drop_idle(&self) {
        self.note("reset_max_age", |changes| {
            changes.idle = Idle::Dropped;
        });
    }

    /// Notes what the commit is to do; after the response there is none.
    fn note(&self, method: &str, note: impl FnOnce(&mut Wanted)) {
        let (is_noted, key) = {
            let mut state = self.state();
            let session = &mut state.machine.session;
            (session.note(note), session.key())
        };
        if !is_noted {
            events::no_effect(key, method);
        }
    }

    /// Ends the session: with the commit, or by a task of its own if the response has been sent.
    pub(crate) fn destroy(self: &Arc<Self>) {
        let waits = self.state().machine.session.destroy();
        if !waits {
            self.persist(Call::Destroy, not_destroyed).spawn();
        }
    }

    /// Moves the session's end: with the commit, or at once if the response has been sent.
    pub(crate) async fn touch(&self) -> Result<(), SessionError> {
        let is_noted = {
            let mut state = self.state();
            let session = &mut state.machine.session;
            session.note(|changes| changes.touch = true)
        };
        if is_noted {
            return Ok(());
        }
        driver::run(self, Call::Touch, None).await.map(drop)
    }

    /// Stores what is pending.
    pub(crate) async fn save(&self) -> Result<(), SessionError> {
        driver::run(self, Call::Save, None).await.map(drop)
    }

    /// Stores what is pending, and what `closure` makes of the newest fields.
    pub(crate) async fn update<'s>(
        &'s self,
        shape: Shape,
        closure: &'s mut Closure<'s>,
    ) -> Result<(), SessionError> {
        drop(self.read(&mut self.state().machine.session, shape, Reader::Extractor));
        let updated = driver::run(self, Call::Update, Some(closure)).await;
        updated.map(drop)
    }

    /// Reads the newest fields.
    pub(crate) async fn load(&self) -> Result<(), SessionError> {
        driver::run(self, Call::Load, None).await.map(drop)
    }

    /// Reads the newest fields, and drops what is pending.
    pub(crate) async fn reload(&self) -> Result<(), SessionError> {
        driver::run(self, Call::Reload, None).await.map(drop)
    }

    /// Ends sessions of owners, whoever goes away meanwhile; answers how many.
    pub(crate) async fn revoke(self: &Arc<Self>, call: Call) -> Result<usize, SessionError> {
        match self.persist(call, not_revoked).await? {
            Done::Ended(count) => Ok(count),
            Done::Plain | Done::Response { .. } => Ok(0),
        }
    }

    /// A call that is carried out whoever goes away.
    fn persist(
        self: &Arc<Self>,
        call: Call,
        untold: Untold<Result<Done, SessionError>>,
    ) -> Work<Result<Done, SessionError>> {
        let session = Arc::clone(self);
        let call = Box::pin(async move { driver::run(&session, call, None).await });
        self.work(call, untold)
    }
}

/// A session whose request is being served. Where that ends without a commit, because the handler
/// panicked or the visitor went away, nothing more of it is stored either, but it ends if it was to.
pub(super) struct Served(pub(super) Arc<RequestSession>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.end_without_response();
    }
}

/// The same layer further in: what its handler did is taken back where that panics, is dropped, or fails.
pub(super) struct Inside {
    session: Arc<RequestSession>,
    before: Option<Box<Savepoint>>,
}

impl Inside {
    pub(super) fn new(session: Arc<RequestSession>) -> Self {
        let before = Some(Box::new(session.savepoint()));
        Self { session, before }
    }

    /// Keeps what the handler did.
    pub(super) fn keep(&mut self) {
        self.before = None;
    }

    /// Takes back what the handler did.
    pub(super) fn take_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.session.roll_back(*before);
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.take_back();
    }
}

fn not_committed(session: Option<StoreKey>, ending: Option<Ending>) {
    match ending.map(|ending| ending.instead) {
        None => events::no_runtime(session, "stored"),
        Some(Some(error)) => events::not_stored(session, &error),
        Some(None) => {}
    }
}

fn not_destroyed(session: Option<StoreKey>, ended: Option<Result<Done, SessionError>>) {
    match ended {
        None => events::no_runtime(session, "destroyed"),
        Some(Err(error)) => events::not_destroyed(session, &error),
        Some(Ok(_)) => {}
    }
}

fn not_revoked(session: Option<StoreKey>, ended: Option<Result<Done, SessionError>>) {
    match ended {
        None => events::no_runtime(session, "revoked"),
        Some(Err(error)) => events::not_revoked(&error),
        Some(Ok(_)) => {}
    }
}
