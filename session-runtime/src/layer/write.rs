//! Stores what a request did: compare and swap, and merge and try again where another was faster.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::admission;
use super::attempt::Attempt;
use super::error::SessionError;
use super::events;
use super::recover::{forestall, recover};
use super::request::RequestSession;
use super::state::{Fate, Stage, State};
use crate::data::{self, Change};
use crate::expiry::Timestamp;
use crate::express;
use crate::record::Fields;
use crate::store::{Later, StoreError, Swap};
use crate::wire::Wire;

/// How often a write is tried while others write the same session.
const ATTEMPTS: u32 = 64;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(128);

/// What changes a session last, after all that is pending.
pub(crate) type Last<'l> = Option<&'l mut DoLast<'l>>;

type DoLast<'l> = dyn FnMut(&Fields) -> Result<Vec<Change>, SessionError> + Send + 'l;

impl RequestSession {
    /// Loads the session anew.
    pub(crate) async fn refresh(&self) -> Result<(), SessionError> {
        // A write under way may give the session another id.
        let _turn = self.turn().await?;
        recover(self).await?;
        let known = {
            let state = self.state();
            state.writable()?;
            state.live.as_ref().map(|live| live.id)
        };
        let Some(id) = known else { return Ok(()) };
        let newest = self.config.find(id, self.config.now()).await?;
        let mut state = self.state();
        if newest.is_none() {
            return Err(State::lose(state));
        }
        state.live = newest;
        Ok(())
    }

    /// Stores what is pending, and what `last` makes of it.
    pub(crate) async fn store(&self, last: Last<'_>) -> Result<(), SessionError> {
        let _turn = self.turn().await?;
        // What was to be stored went with the session: to find nothing pending is no success.
        if self.state().fate == Fate::Gone {
            return Err(SessionError::Gone);
        }
        store(self, last).await
    }

    /// Ends the session: at the commit, or by a task of its own if the response has been sent.
    pub(crate) fn destroy(self: &Arc<Self>) {
        let stage = {
            let mut state = self.state();
            // One that is revoked is removed already, and its cookie is still to go.
            if state.fate != Fate::Revoked {
                state.fate = Fate::Destroyed;
            }
            state.drop_changes();
            state.stage
        };
        if stage == Stage::Open {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            events::cannot_destroy(self.key());
            return;
        };
        let (session, known) = (Arc::clone(self), self.key());
        runtime.spawn(async move {
            let removed = match session.turn().await {
                Ok(_turn) => remove(&session).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                events::not_destroyed(known, &error);
            }
            session.state().close();
        });
    }
}

/// Stores what is pending and what `last` makes of it. `last` sees the newest fields, again after
/// each conflict. Nothing is written where nothing differs.
///
/// The caller holds `writing`. What is pending stays so until it is known to be stored: a caller
/// that is cancelled in between loses nothing and repeats nothing.
///
/// What rarely waits is boxed: a future has room for all that it may wait for, and each request has one.
pub(super) async fn store(
    session: &RequestSession,
    mut last: Last<'_>,
) -> Result<(), SessionError> {
    recover(session).await?;
    let config = &session.config;
    let mut turn = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            Box::pin(pause(attempt)).await;
        }
        let Some((attempt, mut now)) = plan(session, last.as_deref_mut())? else {
            return Ok(());
        };
        if config.max_sessions.is_some() {
            Box::pin(admission::make_room(session, &attempt)).await?;
            now = config.now();
        }
        let swap = match begin(session, &attempt, now)? {
            Ok(swap) => swap,
            Err(later) => {
                let swap = Box::pin(config.wait(later)).await;
                swap.map_err(|error| failed(session, error))?
            }
        };
        attempt.announce(config, &swap);
        match swap {
            Swap::Done if admission::is_needed(&attempt) => {
                session.state().attempt = Some(Box::new(attempt.clone()));
                return Box::pin(admission::arrived(session, attempt)).await;
            }
            Swap::Done => {
                State::adopt(session.state(), attempt);
                return Ok(());
            }
            Swap::Conflict(standing) => State::meet(session.state(), &attempt, standing),
            Swap::Gone => return Err(State::lose(session.state())),
        }
        // A crowd that tried all at once would have one success a round.
        if let (None, Some(key)) = (&turn, session.key()) {
            turn = Box::pin(config.turns.wait(&key, config.store_timeout)).await;
        }
    }
    events::contended(session.key(), ATTEMPTS);
    Err(SessionError::Contended)
}

/// An attempt that is noted as in doubt when this is dropped: by a store that panics, too.
struct InDoubt<'a> {
    session: &'a RequestSession,
    attempt: &'a Attempt,
    is_answered: bool,
}

impl Drop for InDoubt<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.session.state().attempt = Some(Box::new(self.attempt.clone()));
        }
    }
}

/// Begins an attempt: what the store answers, or the future to wait for. The attempt is noted as in doubt
/// unless there is an answer.
#[inline]
fn begin<'s>(
    session: &'s RequestSession,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Result<Swap, Later<'s, Swap>>, SessionError> {
    let mut in_doubt = InDoubt {
        session,
        attempt,
        is_answered: false,
    };
    if attempt.rotates() {
        // Who waits for the end of the session must not take the old id's for it.
        session.state().attempt = Some(Box::new(attempt.clone()));
    }
    let answer = attempt.ask(&session.config, now).at_once();
    match answer {
        Ok(result) => {
            in_doubt.is_answered = result.is_ok();
            drop(in_doubt);
            result.map(Ok).map_err(|error| failed(session, error))
        }
        Err(later) => Ok(Err(later)),
    }
}

/// The store has answered an error to an attempt, which is in doubt no more if it was refused.
fn failed(session: &RequestSession, error: StoreError) -> SessionError {
    if error.is_refusal() {
        session.state().refuse();
    }
    error.into()
}

/// Removes the session; `false` where it was gone already.
pub(super) async fn remove(session: &RequestSession) -> Result<bool, SessionError> {
    let (known, attempt) = {
        let mut state = session.state();
        let live = state.live.take();
        (live.map(|live| live.key), state.attempt.take())
    };
    // A write whose caller was cancelled may have arrived under a new id, or may yet: not once the
    // session is removed from where it was, or forestalled where it was to begin.
    let moved = match attempt.filter(|attempt| attempt.has_new_id()) {
        Some(attempt) if attempt.from.is_none() && forestall(session, &attempt).await? => None,
        attempt => attempt.map(|attempt| attempt.target.key),
    };
    let config = &session.config;
    let mut removed = false;
    for key in known.into_iter().chain(moved) {
        let found = config.remove(key).await?;
        if found {
            events::destroyed(key);
        }
        removed |= found;
    }
    if let (false, Some(session)) = (removed, known) {
        events::gone(session, "it was destroyed");
    }
    Ok(removed)
}

/// One compare-and-swap: from what is known to be stored, if anything, to what is to be, and when;
/// `None` where nothing is to be stored.
fn plan(
    session: &RequestSession,
    last: Option<&mut DoLast<'_>>,
) -> Result<Option<(Attempt, Timestamp)>, SessionError> {
    let mut state = session.state();
    state.take_up();
    state.in_hand.renew |= state.in_hand.changes.iter().any(Change::is_of_privilege);
    let mut fields = data::apply(&state.in_hand.changes, state.fields());
    let mut owners = state.owners();
    if let Some(last) = last {
        // The state is not locked there: it is the user's code, and may ask for it.
        drop(state);
        let changes = last(&fields)?;
        fields = data::apply(&changes, &fields);
        state = session.state();
        owners = data::owners(&changes, &owners, |owner| state.since(owner));
        state.in_hand.renew |= changes.iter().any(Change::is_of_privilege);
        state.in_hand.pass_on(&changes);
    } else {
        state.in_hand.pass_on(&[]);
    }
    let differs = fields != *state.fields();
    if !state.in_hand.needs_write(state.live.is_some(), differs) {
        state.in_hand.changes.clear();
        return Ok(None);
    }
    state.in_hand.force &= !differs;
    state.writable()?;
    let (bytes, max) = (fields.size(), session.config.max_record_bytes);
    if bytes > max {
        return Err(SessionError::TooLarge { bytes, max });
    }
    if session.config.wire == Wire::Express
        && let Some(field) = express::unsafe_integer(state.fields(), &fields)
    {
        return Err(SessionError::UnsafeInteger { field });
    }
    let cookie = session.cookie_object(state.connection);
    let from = state.live.clone();
    let now = session.config.now();
    let Some(target) = state.target(&session.config, cookie, fields, owners, now)? else {
        return Err(State::lose(state));
    };
    Ok(Some((Attempt { from, target }, now)))
}

/// The first attempts follow at once; then every other one waits a random while, longer from time to
/// time, so that a crowd of writers comes apart. What stood there before a pause has been replaced by
/// its end: the attempt after it learns what stands there, and the next one has a chance.
async fn pause(attempt: u32) {
    let pauses = attempt.checked_sub(3).filter(|late| late % 2 == 0);
    let Some(doublings) = pauses.map(|late| late / 2) else {
        return;
    };
    let longest = LONGEST_PAUSE.min(Duration::from_millis(1 << doublings.min(10)));
    let micros = u64::try_from(longest.as_micros()).expect("a pause is short");
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..=micros))).await;
}
