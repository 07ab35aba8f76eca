//! What one request carries: the session as it was loaded, and what has been done to it since.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Uri};

use super::config::{Arrival, Config};
use super::config_error::ConfigError;
use super::cookies::{Cookies, OwnCookie};
use super::error::SessionError;
use super::events;
use super::live::Live;
use super::state::{Handed, Missed, Origin, Stage, State, TakenOut};
use super::wanted::{Idle, Pending};
use crate::cookie::{Connection, CookieWriter};
use crate::data::{self, Change, Shape, Unstorable};
use crate::expiry::Timestamp;
use crate::express::CookieObject;
use crate::id::{SessionId, StoreKey};
use crate::record::Fields;
use crate::secret::Signer;
use crate::store::{Answer, StoreError, Stored};
use crate::token::Presented;

/// The session of one request, shared by the layer and all extractors.
///
/// The layer puts one into every request; nothing is read or asked until an extractor comes.
pub(crate) struct RequestSession {
    pub(crate) config: Arc<Config>,
    /// What a function has made of the request, where the layer has one.
    own_cookie: Option<Box<Result<OwnCookie, ConfigError>>>,
    state: Mutex<State>,
    /// Held while a write is under way, so that two writes of one request follow each other.
    writing: tokio::sync::Mutex<()>,
}

/// A session whose request is being served. Where that ends without a commit, because the handler
/// panicked or the visitor went away, nothing more of it is stored either.
pub(super) struct Served(pub(super) Arc<RequestSession>);

impl Drop for Served {
    fn drop(&mut self) {
        // Most often nobody else has kept it.
        if Arc::strong_count(&self.0) == 1 {
            return;
        }
        let mut state = self.0.state();
        if state.stage != Stage::Sent {
            state.close();
        }
    }
}

impl RequestSession {
    // Inlined, so that it is made where it will lie: it is large, and each request has one.
    #[inline]
    pub(super) fn new(
        config: Arc<Config>,
        own_cookie: Option<Box<Result<OwnCookie, ConfigError>>>,
        arrival: Option<Arrival>,
    ) -> Self {
        let own = own_cookie.as_deref().and_then(|own| own.as_ref().ok());
        let state = State {
            arrival,
            begins_with: match own {
                Some(own) => own.max_age,
                None => config.begins_with(),
            },
            ..State::default()
        };
        Self {
            config,
            own_cookie,
            state: Mutex::new(state),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    /// What is wrong with the cookie that a function has made of the request. A session that no cookie
    /// could follow is not loaded.
    pub(crate) fn check_cookie(&self) -> Result<(), ConfigError> {
        match self.own_cookie.as_deref() {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// What writes the cookie of this request, and for which connection; nothing does where the check
    /// has failed.
    pub(super) fn writer(&self, connection: Connection) -> Option<(&CookieWriter, Connection)> {
        match (self.own_cookie.as_deref(), &self.config.cookies) {
            (Some(Ok(own)), _) => Some((&own.writer, own.connection)),
            (None, Cookies::Fixed(writers, _)) => Some((writers.on(connection), connection)),
            (Some(Err(_)), _) | (None, Cookies::ByRequest { .. }) => None,
        }
    }

    /// What a session of this request has to say of its cookie, where an Express app is to read it.
    pub(super) fn cookie_object(&self, connection: Connection) -> Option<&CookieObject> {
        match (self.own_cookie.as_deref(), &self.config.cookies) {
            (Some(Ok(own)), _) => own.object.as_ref(),
            (None, Cookies::Fixed(_, objects)) => objects.as_ref().map(|it| it.on(connection)),
            (Some(Err(_)), _) | (None, Cookies::ByRequest { .. }) => None,
        }
    }

    /// Waits until no other write of this request is under way, but no longer than for a store.
    pub(super) async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, SessionError> {
        if let Ok(turn) = self.writing.try_lock() {
            return Ok(turn);
        }
        let turn = tokio::time::timeout(self.config.store_timeout, self.writing.lock());
        Box::pin(turn).await.map_err(|_| SessionError::Contended)
    }

    /// The state is consistent after each statement, so a panic elsewhere does not spoil it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the session the first time an extractor asks; later ones find it here.
    pub(crate) async fn open(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), StoreError> {
        let now = self.config.now();
        let arrival = {
            let mut state = self.state();
            // Extractors that wait for each other have begun with the first.
            if !mem::replace(&mut state.asked, true) {
                state.began = now;
            }
            if state.origin != Origin::Unread {
                return Ok(());
            }
            state.arrival.take()
        };
        let arrival = arrival.unwrap_or_else(|| self.config.arrival(uri, headers));
        self.load(arrival, now).await
    }

    /// Loads what a request has presented: at once, where the store has it at hand. What a future
    /// carries over an `await` is copied time and again, and this is on the way of each request.
    pub(super) fn load(&self, arrival: Arrival, now: Timestamp) -> Answer<'_, ()> {
        let Arrival {
            presented,
            way,
            connection,
        } = arrival;
        {
            let mut state = self.state();
            (state.way, state.connection) = (way, connection);
            if !matches!(presented, Presented::Token { .. }) && state.origin == Origin::Unread {
                state.origin = Origin::WithoutSession;
            }
        }
        let Presented::Token { id, signer } = presented else {
            return Answer::now(Ok(()));
        };
        let key = self.config.key(id);
        match self.config.look_up(key, now).at_once() {
            Ok(found) => Answer::now(found.map(|found| self.take(id, key, signer, found, now))),
            Err(later) => Answer::later(async move {
                let found = self.config.wait(later).await?;
                self.take(id, key, signer, found, now);
                Ok(())
            }),
        }
    }

    /// Takes what the store has found under the id that was presented, unless another extractor was
    /// faster.
    fn take(
        &self,
        id: SessionId,
        key: StoreKey,
        signer: Signer,
        found: Option<Stored>,
        now: Timestamp,
    ) {
        let config = &self.config;
        let is_alive = |stored: &Stored| config.is_alive(&stored.record, stored.expires, now);
        let was_found = match found {
            Some(stored) if is_alive(&stored) => {
                let mut state = self.state();
                if state.origin == Origin::Unread {
                    state.origin = Origin::WithSession;
                    state.owes_cookie = signer == Signer::Previous;
                    state.live = Some(Live::new(id, key, stored));
                }
                return;
            }
            found => found.is_some(),
        };
        {
            let mut state = self.state();
            if state.origin == Origin::Unread {
                state.origin = Origin::WithoutSession;
            }
        }
        if was_found {
            events::expired(key);
        } else {
            events::not_found(key);
        }
        config.endings.announce(key);
    }

    pub(crate) fn is_new(&self) -> bool {
        self.state().origin != Origin::WithSession
    }

    /// The key of the session, where one is stored.
    pub(crate) fn key(&self) -> Option<StoreKey> {
        self.state().key()
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.state().live.as_ref().map(|live| live.expires)
    }

    /// The fields as they are known to be stored.
    pub(crate) fn stored_fields(&self) -> Fields {
        let state = self.state();
        let live = state.live.as_ref();
        live.map(|live| live.record.fields.clone())
            .unwrap_or_default()
    }

    /// How many bytes the fields take that are known to be stored.
    pub(crate) fn size(&self) -> usize {
        self.state().fields().size()
    }

    /// The fields as the next extractor sees them: what was loaded, and what was done since.
    pub(crate) fn fields(&self) -> Fields {
        let state = self.state();
        let stored = state
            .live
            .as_ref()
            .map(|live| live.record.fields.clone())
            .unwrap_or_default();
        [&state.in_hand, &state.pending.wanted]
            .into_iter()
            .filter(|wanted| !wanted.changes.is_empty())
            .fold(stored, |fields, wanted| {
                data::apply(&wanted.changes, &fields)
            })
    }

    /// How often something has been taken out so far: what a view changed before that is not put back.
    pub(crate) fn taken_out(&self) -> usize {
        self.state().taken_out.len()
    }

    /// Takes what a view of `shape` changed since so much was taken out.
    pub(crate) fn hand_over(
        &self,
        shape: Shape,
        since: usize,
        changes: Vec<Change>,
    ) -> Result<(), SessionError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let handed = state.hand_over(shape, since, changes)?;
        let session = state.key();
        drop(state);
        if let Handed::TooLate = handed {
            events::taken_out(session, shape.type_name);
        }
        Ok(())
    }

    /// Takes what a view changed that is dropped. After the response it is too late, and said so.
    pub(crate) fn deposit(&self, shape: Shape, since: usize, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut state = self.state();
        let session = state.key();
        if state.stage != Stage::Open {
            drop(state);
            events::too_late(session, shape.type_name);
            return;
        }
        let handed = state.hand_over(shape, since, changes);
        if handed.is_err() {
            state.missed = Missed::TooLate;
        }
        drop(state);
        match handed {
            Ok(Handed::Over) => {}
            Ok(Handed::TooLate) => events::taken_out(session, shape.type_name),
            Err(error) => events::refused(session, shape.type_name, &error),
        }
    }

    /// Notes that a view was left with a value that cannot be stored.
    pub(crate) fn spoil(&self, shape: Shape, unstorable: Unstorable) {
        let mut state = self.state();
        if state.stage == Stage::Open {
            state.pending.unstorable = Some(unstorable);
        } else {
            let session = state.key();
            drop(state);
            events::too_late(session, shape.type_name);
        }
    }

    /// Puts a struct in, or takes it out.
    pub(crate) fn push(&self, shape: Shape, change: Change) -> Result<(), SessionError> {
        let mut state = self.state();
        state.writable()?;
        if state.stage != Stage::Open {
            return Err(SessionError::TooLate);
        }
        state.taken_out.push(TakenOut::Struct(shape.id));
        state.pending.wanted.changes.push(change);
        Ok(())
    }

    /// Empties the session; its id changes with it.
    pub(crate) fn clear(&self) {
        self.state().taken_out.push(TakenOut::Everything);
        self.request("clear", |pending| {
            pending.unstorable = None;
            pending.wanted.changes.clear();
            pending.wanted.changes.push(Change::Clear);
            pending.wanted.idle = Idle::Dropped;
            pending.wanted.renew = true;
        });
    }

    pub(crate) fn renew(&self) {
        self.request("renew", |pending| pending.wanted.renew = true);
    }

    pub(crate) fn touch(&self) {
        self.request("touch", |pending| pending.touch = true);
    }

    pub(crate) fn set_idle(&self, idle: Duration) {
        self.request("set_max_age", |pending| {
            pending.wanted.idle = Idle::Set(idle);
        });
    }

    pub(crate) fn drop_idle(&self) {
        self.request("reset_max_age", |pending| {
            pending.wanted.idle = Idle::Dropped;
        });
    }

    /// Notes what the commit is to do; after the response there is none.
    fn request(&self, method: &str, note: impl FnOnce(&mut Pending)) {
        let mut state = self.state();
        if state.stage == Stage::Open {
            note(&mut state.pending);
        } else {
            let session = state.key();
            drop(state);
            events::no_effect(session, method);
        }
    }

    /// Drops what has not been stored.
    pub(crate) fn forget_changes(&self) {
        self.state().drop_changes();
    }
}
