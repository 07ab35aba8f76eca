//! Stores what a request did: compare and swap, and merge and try again where another was faster.

use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::error::SessionError;
use super::live::Live;
use super::request::{Attempt, Fate, Moved, Pending, RequestSession, Stage, State};
use crate::data::{self, Change};
use crate::record::{Fields, Record};
use crate::store::{StoreError, Swap};

/// How often a write is tried while others write the same session.
const ATTEMPTS: u32 = 64;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(32);

impl RequestSession {
    /// Loads the session anew.
    pub(crate) async fn refresh(&self) -> Result<(), SessionError> {
        let known = {
            let state = self.state();
            state.writable()?;
            state.live.as_ref().map(|live| live.id)
        };
        let Some(id) = known else { return Ok(()) };
        let newest = self.config.find(id).await?;
        if newest.is_none() {
            return Err(lose(self));
        }
        self.state().live = newest;
        Ok(())
    }

    /// Stores what is pending, and what `last` makes of it.
    pub(crate) async fn store(
        &self,
        last: impl FnMut(&Fields) -> Result<Vec<Change>, SessionError>,
    ) -> Result<(), SessionError> {
        let _turn = self.writing.lock().await;
        store(self, last).await
    }

    /// Ends the session: at the commit, or by a task of its own if the response has been sent.
    pub(crate) fn destroy(self: &Arc<Self>) {
        let stage = {
            let mut state = self.state();
            state.fate = Fate::Destroyed;
            state.pending = Pending::default();
            state.stage
        };
        if stage == Stage::Open {
            return;
        }
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = session.writing.lock().await;
            if let Err(error) = remove(&session).await {
                tracing::error!(%error, "a session could not be destroyed after its response was sent");
            }
        });
    }
}

/// Stores what is pending and what `last` makes of it. `last` sees the newest fields, again after
/// each conflict. Nothing is written where nothing differs.
///
/// The caller holds `writing`. What is pending stays so until it is known to be stored: a caller
/// that is cancelled in between loses nothing and repeats nothing.
pub(super) async fn store(
    session: &RequestSession,
    mut last: impl FnMut(&Fields) -> Result<Vec<Change>, SessionError>,
) -> Result<(), SessionError> {
    recover(session).await?;
    for attempt in 0..ATTEMPTS {
        pause(attempt).await;
        let Some(plan) = plan(session, &mut last)? else {
            return Ok(());
        };
        match carry_out(session, plan).await? {
            Swap::Done => return Ok(()),
            Swap::Conflict(standing) => {
                if let Some(live) = &mut session.state().live {
                    *live = Live::new(live.id, standing);
                }
            }
            Swap::Gone => return Err(lose(session)),
        }
    }
    session.state().attempt = None;
    tracing::warn!(
        attempts = ATTEMPTS,
        "a session was not stored: others kept changing it"
    );
    Err(SessionError::Contended)
}

/// Removes the session; `false` where it was gone already.
pub(super) async fn remove(session: &RequestSession) -> Result<bool, SessionError> {
    let (live, attempt) = {
        let mut state = session.state();
        (state.live.take(), state.attempt.take())
    };
    // A write whose caller was cancelled may have arrived under a new id.
    let ends = live
        .into_iter()
        .chain(attempt.map(|attempt| attempt.target));
    let config = &session.config;
    let mut removed = false;
    for live in ends {
        removed |= config
            .ask(config.store.remove(&live.key, config.now()))
            .await?;
        tracing::info!(session = %live.key.public(), removed, "a session was destroyed");
    }
    Ok(removed)
}

/// One compare-and-swap: from what is known to be stored, if anything, to what is to be.
struct Plan {
    from: Option<Live>,
    to: Live,
}

fn plan(
    session: &RequestSession,
    last: &mut impl FnMut(&Fields) -> Result<Vec<Change>, SessionError>,
) -> Result<Option<Plan>, SessionError> {
    let (from, changes, base, fields) = {
        let state = session.state();
        let base = state
            .live
            .as_ref()
            .map(|live| live.record.fields.clone())
            .unwrap_or_default();
        let fields = data::apply(&state.pending.changes, &base);
        (
            state.live.clone(),
            state.pending.changes.len(),
            base,
            fields,
        )
    };
    // The state is not locked here: `last` is the user's code, and may ask for it.
    let fields = data::apply(&last(&fields)?, &fields);

    let mut state = session.state();
    if !state.pending.needs_write(from.is_some(), fields != base) {
        state.pending.changes.drain(..changes);
        return Ok(None);
    }
    state.writable()?;
    let (bytes, max) = (fields.size(), session.config.max_record_bytes);
    if bytes > max {
        return Err(SessionError::TooLarge { bytes, max });
    }
    let to = state.target(&session.config, fields)?;
    state.attempt = Some(Attempt {
        from: from.clone(),
        target: to.clone(),
        changes,
    });
    Ok(Some(Plan { from, to }))
}

/// Asks the store, and notes what it answers.
async fn carry_out(session: &RequestSession, plan: Plan) -> Result<Swap, SessionError> {
    let Plan { from, to } = plan;
    let (config, now, new) = (&session.config, session.config.now(), to.stored());
    let swap = match &from {
        None => {
            let inserted = config.ask(config.store.insert(&to.key, &new, now)).await?;
            if !inserted {
                return Err(StoreError::Taken.into());
            }
            Swap::Done
        }
        Some(from) if from.key == to.key => {
            let expected = from.record.revision;
            config
                .ask(config.store.replace(&to.key, expected, &new, now))
                .await?
        }
        Some(from) => {
            let expected = from.record.revision;
            config
                .ask(config.store.rotate(&from.key, expected, &to.key, &new, now))
                .await?
        }
    };
    let mut state = session.state();
    match state.attempt.take() {
        Some(attempt) if swap == Swap::Done => state.adopt(attempt),
        _ => {}
    }
    Ok(swap)
}

/// Finds out what became of a write whose caller was cancelled, or whose answer was lost: its
/// revision says whether it arrived.
async fn recover(session: &RequestSession) -> Result<(), SessionError> {
    let Some((target, from)) = session.state().attempt.as_ref().map(Attempt::ends) else {
        return Ok(());
    };
    let standing = |live: Option<Live>| live.map(|live| live.record.revision);
    let arrived = standing(session.config.find(target.id).await?);
    let is_back = match from {
        _ if arrived == Some(target.record.revision) => false,
        None => arrived.is_none(),
        Some(from) => match standing(session.config.find(from.id).await?) {
            None => return Err(lose(session)),
            Some(revision) => revision == from.record.revision,
        },
    };
    let mut state = session.state();
    match state.attempt.take() {
        Some(attempt) if arrived == Some(target.record.revision) => state.adopt(attempt),
        _ if is_back => {}
        // Somebody wrote after it, so that nobody can tell whether it arrived: not repeated.
        _ => return Err(SessionError::Contended),
    }
    Ok(())
}

/// The session has vanished: what is pending can never be stored, and is reported once.
pub(super) fn lose(session: &RequestSession) -> SessionError {
    let mut state = session.state();
    if let Some(live) = state.live.take() {
        tracing::info!(session = %live.key.public(), "a session had ended before its changes were stored");
    }
    state.fate = Fate::Gone;
    state.attempt = None;
    state.pending = Pending::default();
    SessionError::Gone
}

/// The first attempts follow at once; then each waits a random while, longer from time to time, so
/// that a crowd of writers comes apart.
async fn pause(attempt: u32) {
    let Some(doublings) = attempt.checked_sub(2) else {
        return;
    };
    let longest = LONGEST_PAUSE.min(Duration::from_millis(1 << doublings.min(10)));
    let micros = u64::try_from(longest.as_micros()).expect("a pause is short");
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..=micros))).await;
}

impl State {
    /// The session as it will stand in the store.
    fn target(&self, config: &Config, fields: Fields) -> Result<Live, SessionError> {
        let now = config.now();
        let live = self.live.as_ref();
        let record = Record {
            revision: Config::new_revision(),
            created: live.map_or(now, |live| live.record.created),
            idle: self.pending.idle.or(live.and_then(|live| live.record.idle)),
            fields,
        };
        let expires = config.deadline(&record, now);
        if expires <= now {
            return Err(SessionError::Gone);
        }
        let id = match live {
            Some(live) if !self.pending.renew => live.id,
            _ if self.stage == Stage::Sent => return Err(SessionError::Gone),
            _ => config.new_id(),
        };
        Ok(Live {
            id,
            key: id.key(),
            record,
            expires,
        })
    }

    /// A write has arrived: what it held is no longer pending.
    fn adopt(&mut self, attempt: Attempt) {
        let Attempt {
            from,
            target,
            changes,
        } = attempt;
        let is_new_id = from.is_none_or(|from| from.key != target.key);
        if is_new_id {
            tracing::info!(session = %target.key.public(), "a session has a new id");
        }
        self.pending.settle(changes);
        self.owes_cookie |= is_new_id;
        self.moved = Moved::Write;
        self.live = Some(target);
    }
}
