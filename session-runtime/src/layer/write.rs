//! Stores what a request did: compare and swap, and merge and try again where another was faster.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::config::Config;
use super::error::SessionError;
use super::live::Live;
use super::request::{Attempt, Fate, Missed, Moved, RequestSession, Stage, State, Wanted};
use crate::data::{self, Change};
use crate::record::{Fields, Record};
use crate::store::{StoreError, Stored, Swap};

/// How often a write is tried while others write the same session.
const ATTEMPTS: u32 = 64;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(128);

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
        let newest = self.config.find(id).await?;
        let mut state = self.state();
        if newest.is_none() {
            return Err(state.lose());
        }
        state.live = newest;
        Ok(())
    }

    /// Stores what is pending, and what `last` makes of it.
    pub(crate) async fn store(
        &self,
        last: impl FnMut(&Fields) -> Result<Vec<Change>, SessionError>,
    ) -> Result<(), SessionError> {
        let _turn = self.turn().await?;
        store(self, last).await
    }

    /// Ends the session: at the commit, or by a task of its own if the response has been sent.
    pub(crate) fn destroy(self: &Arc<Self>) {
        let stage = {
            let mut state = self.state();
            state.fate = Fate::Destroyed;
            state.drop_changes();
            state.stage
        };
        if stage == Stage::Open {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!(
                "a session is not destroyed: its response was sent, and no runtime is here"
            );
            return;
        };
        let session = Arc::clone(self);
        runtime.spawn(async move {
            let removed = match session.turn().await {
                Ok(_turn) => remove(&session).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
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
    let config = &session.config;
    let mut turn = None;
    for attempt in 0..ATTEMPTS {
        pause(attempt).await;
        let Some(attempt) = plan(session, &mut last)? else {
            return Ok(());
        };
        match carry_out(config, &attempt).await? {
            Swap::Done => {
                session.state().adopt(attempt);
                return Ok(());
            }
            Swap::Conflict(standing) => session.state().meet(attempt, standing),
            Swap::Gone => return Err(session.state().lose()),
        }
        // A crowd that tried all at once would have one success a round.
        if let (None, Some(key)) = (&turn, session.key()) {
            turn = config.turns.wait(&key, config.store_timeout).await;
        }
    }
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
    // A write whose caller was cancelled may have arrived under a new id, or may yet: not once the
    // session is removed from where it was.
    let ends = live.into_iter().chain(
        attempt
            .filter(Attempt::has_new_id)
            .map(|attempt| attempt.target),
    );
    let config = &session.config;
    let mut removed = false;
    for live in ends {
        removed |= config
            .ask(config.store.remove(live.key, config.now()))
            .await?;
        tracing::info!(session = %live.key.public(), removed, "a session was destroyed");
    }
    Ok(removed)
}

/// One compare-and-swap: from what is known to be stored, if anything, to what is to be; `None` where
/// nothing is to be stored.
fn plan(
    session: &RequestSession,
    last: &mut impl FnMut(&Fields) -> Result<Vec<Change>, SessionError>,
) -> Result<Option<Attempt>, SessionError> {
    let (from, base, fields) = {
        let mut state = session.state();
        state.take_up();
        let in_hand = &mut state.in_hand;
        in_hand.renew |= in_hand.changes.iter().any(Change::is_of_privilege);
        let base = state
            .live
            .as_ref()
            .map(|live| live.record.fields.clone())
            .unwrap_or_default();
        let fields = data::apply(&state.in_hand.changes, &base);
        (state.live.clone(), base, fields)
    };
    // The state is not locked here: `last` is the user's code, and may ask for it.
    let changes = last(&fields)?;
    let fields = data::apply(&changes, &fields);

    let mut state = session.state();
    state.in_hand.renew |= changes.iter().any(Change::is_of_privilege);
    if !state.in_hand.needs_write(from.is_some(), fields != base) {
        state.in_hand.changes.clear();
        return Ok(None);
    }
    state.writable()?;
    let (bytes, max) = (fields.size(), session.config.max_record_bytes);
    if bytes > max {
        return Err(SessionError::TooLarge { bytes, max });
    }
    let target = state.target(&session.config, fields)?;
    let attempt = Attempt { from, target };
    state.attempt = Some(attempt.clone());
    Ok(Some(attempt))
}

/// Asks the store.
async fn carry_out(config: &Config, attempt: &Attempt) -> Result<Swap, SessionError> {
    let Attempt { from, target } = attempt;
    let (now, new) = (config.now(), target.stored());
    let swap = match from {
        None => {
            let inserted = config.ask(config.store.insert(target.key, new, now));
            if !inserted.await? {
                return Err(StoreError::Taken.into());
            }
            Swap::Done
        }
        Some(from) if from.key == target.key => {
            let expected = from.record.revision;
            config
                .ask(config.store.replace(target.key, expected, new, now))
                .await?
        }
        Some(from) => {
            let (from, expected) = (from.key, from.record.revision);
            config
                .ask(config.store.rotate(from, expected, target.key, new, now))
                .await?
        }
    };
    Ok(swap)
}

/// Settles a write whose caller was cancelled, or whose answer was lost: its revision says whether it
/// arrived. One that has not is not repeated, since nobody may want it any more; instead what it
/// started from is stored anew, so that it can arrive no more.
pub(super) async fn recover(session: &RequestSession) -> Result<(), SessionError> {
    let config = &session.config;
    let Some(attempt) = session.state().attempt.clone() else {
        return Ok(());
    };
    session.state().writable()?;
    if has_arrived(config, &attempt.target).await? {
        session.state().adopt(attempt);
        return Ok(());
    }
    let Some(from) = attempt.from.clone() else {
        // A session that is to begin can be asked for again: its id takes one record only.
        let inserted = carry_out(config, &attempt).await;
        if inserted.is_err() && !has_arrived(config, &attempt.target).await? {
            return inserted.map(|_| ());
        }
        session.state().adopt(attempt);
        return Ok(());
    };
    let fence = from.anew(
        Config::new_revision(),
        config.deadline(&from.record, config.now()),
    );
    let fencing = Attempt {
        from: Some(from),
        target: fence,
    };
    match carry_out(config, &fencing).await? {
        Swap::Done => session.state().withdraw(fencing.target),
        // It may have arrived between the two questions.
        _ if has_arrived(config, &attempt.target).await? => session.state().adopt(attempt),
        Swap::Gone => return Err(session.state().lose()),
        // Somebody wrote after it, so that nobody can tell whether it arrived.
        Swap::Conflict(standing) => {
            session.state().doubt(attempt, standing);
            return Err(SessionError::Contended);
        }
    }
    Ok(())
}

/// Looks whether a write arrived whose answer was lost, and repeats nothing.
pub(super) async fn look_back(session: &RequestSession) -> Result<(), StoreError> {
    let Some(attempt) = session.state().attempt.clone() else {
        return Ok(());
    };
    if has_arrived(&session.config, &attempt.target).await? {
        session.state().adopt(attempt);
    }
    Ok(())
}

async fn has_arrived(config: &Config, target: &Live) -> Result<bool, StoreError> {
    let standing = config.find(target.id).await?;
    Ok(standing.is_some_and(|live| live.record.revision == target.record.revision))
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

impl State {
    /// The session as it will stand in the store.
    fn target(&mut self, config: &Config, fields: Fields) -> Result<Live, SessionError> {
        let now = config.now();
        let live = self.live.as_ref();
        let record = Record {
            revision: Config::new_revision(),
            created: live.map_or(now, |live| live.record.created),
            idle: self.in_hand.idle.of(live.and_then(|live| live.record.idle)),
            fields,
        };
        let expires = config.deadline(&record, now);
        if expires <= now {
            return Err(self.lose());
        }
        let id = match live {
            Some(live) if !self.in_hand.renew => live.id,
            _ if self.stage == Stage::Sent => {
                self.drop_changes();
                return Err(SessionError::TooLate);
            }
            _ => config.new_id(),
        };
        Ok(Live {
            id,
            key: id.key(),
            record,
            expires,
        })
    }

    /// Another write was faster: what is in hand stays there.
    fn meet(&mut self, attempt: Attempt, standing: Stored) {
        self.attempt = None;
        self.live = attempt.from.map(|from| Live::new(from.id, standing));
    }

    /// A write will not arrive: what it held is still to be stored.
    fn withdraw(&mut self, fence: Live) {
        self.attempt = None;
        self.live = Some(fence);
    }

    /// Nobody can tell whether a write arrived, so what it held is given up. The response says so, even
    /// if the handler does not mind.
    fn doubt(&mut self, attempt: Attempt, standing: Stored) {
        self.missed = Missed::InDoubt;
        self.attempt = None;
        self.in_hand = Wanted::default();
        self.live = attempt.from.map(|from| Live::new(from.id, standing));
    }

    /// A write has arrived: what it held is no longer in hand.
    fn adopt(&mut self, attempt: Attempt) {
        let has_new_id = attempt.has_new_id();
        let Attempt { from: _, target } = attempt;
        if has_new_id {
            tracing::info!(session = %target.key.public(), "a session has a new id");
        }
        self.attempt = None;
        self.in_hand = Wanted::default();
        self.owes_cookie |= has_new_id;
        self.moved = Moved::Write;
        self.live = Some(target);
    }
}
