//! The end of a request: what is stored, what the response says. It is the table "Commit" of the
//! project's DESIGN.md, and nothing else.

use http::{HeaderValue, StatusCode};

use super::attempt::Attempt;
use super::config::{Config, Rolling};
use super::error::SessionError;
use super::events;
use super::live::Live;
use super::recover::recover;
use super::request::RequestSession;
use super::state::{Fate, Missed, Moved, Origin, Stage, State};
use super::transport;
use super::wanted::Pending;
use super::write;
use crate::cookie::{Connection, CookieLifetime};
use crate::id::SessionId;
use crate::store::StoreError;
use crate::token::Way;

/// What the commit has to say to the response.
#[derive(Default)]
pub(super) struct Outcome {
    /// A handler has asked for the session, so that the response depends on what was presented.
    pub(super) asked: bool,
    pub(super) way: Way,
    /// What gives the visitor a token, or takes it away; it goes the way the request came.
    pub(super) token: Option<HeaderValue>,
    /// What is answered in place of the handler's response.
    pub(super) instead: Option<SessionError>,
}

/// What the end of a request takes.
pub(super) enum End {
    /// Nobody asked for the session.
    Nothing,
    /// There is nothing to store.
    AtOnce(Outcome),
    Commit,
}

/// Ends a request for which there is nothing to store.
pub(super) fn end(session: &RequestSession, status: StatusCode) -> End {
    let mut state = session.state();
    if !state.asked && state.arrival.is_none() {
        return End::Nothing;
    }
    let has_work = !state.is_settled()
        || matches!(state.fate, Fate::Destroyed | Fate::Revoked)
        || state.moved != Moved::Nothing
        || state.owes_cookie
        || state.missed != Missed::Nothing
        || state.attempt.is_some()
        || session.config.pays_always();
    let due = |state: &State| {
        let mut live = state.live.iter();
        live.any(|live| session.config.touch_due(live, session.config.now()))
    };
    if has_work || (!drops_changes(status) && due(&state)) {
        return End::Commit;
    }
    state.close();
    End::AtOnce(state.outcome(None))
}

/// Ends a request: stores what it changed, and tells what the response must say.
pub(super) async fn commit(session: &RequestSession, status: StatusCode) -> Outcome {
    let turn = session.turn().await;
    let dropped = drops_changes(status);
    {
        let mut state = session.state();
        state.stage = Stage::Closing;
        if dropped {
            state.pending = Pending::default();
        }
    }
    let settled = match turn {
        Ok(_turn) => settle(session, dropped).await,
        Err(error) => Err(error),
    };
    let mut state = session.state();
    state.close();
    // What the response says was not stored, no later update by a handle may store.
    state.drop_changes();
    state.attempt = None;
    let (way, connection) = (state.way, state.connection);
    let owed = match &settled {
        Ok(Settled::Removed) => Owed::Removal,
        Ok(Settled::Kept) => state.owed(&session.config, true),
        Err(_) => state.owed(&session.config, false),
    };
    let outcome = state.outcome(settled.err());
    drop(state);
    Outcome {
        token: owed.value(session, way, connection),
        ..outcome
    }
}

/// 5xx, and 408 where a timeout inside has cancelled the handler: whatever it changed is dropped.
fn drops_changes(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

/// How a session came out of a commit.
enum Settled {
    Kept,
    Removed,
}

async fn settle(session: &RequestSession, dropped: bool) -> Result<Settled, SessionError> {
    let arrival = session.state().arrival.take();
    if let Some(arrival) = arrival {
        // Some options concern requests whose handler never asked for the session.
        session.check_cookie()?;
        session.load(arrival, session.config.now()).await?;
    }
    let fate = session.state().fate;
    if fate == Fate::Revoked {
        return Ok(Settled::Removed);
    }
    if fate == Fate::Destroyed {
        let removed = Box::pin(write::remove(session)).await?;
        return Ok(if removed {
            Settled::Removed
        } else {
            Settled::Kept
        });
    }
    if dropped {
        Box::pin(follow(session)).await;
        return Ok(Settled::Kept);
    }
    session.state().prepare(&session.config)?;
    write::store(session, None).await?;
    let has_moved = session.state().moved >= Moved::Again;
    if !has_moved {
        Box::pin(touch(session)).await?;
    }
    Ok(Settled::Kept)
}

/// A `save` that was cut off may have given the session another id, or may yet: its visitor must be
/// able to follow, or to stay.
async fn follow(session: &RequestSession) {
    let may_have_moved = {
        let state = session.state();
        state.attempt.as_deref().is_some_and(Attempt::has_new_id)
    };
    if may_have_moved && let Err(error) = recover(session).await {
        events::in_doubt(session.key(), &error);
    }
}

/// Moves the session's end where nothing else has moved it and it is time.
async fn touch(session: &RequestSession) -> Result<(), SessionError> {
    let config = &session.config;
    let (live, asked, now) = {
        let state = session.state();
        let Some(live) = state.live.as_ref() else {
            return Ok(());
        };
        // Nor does a cookie signed anew go out for a session that has ended meanwhile.
        let asked = state.pending.touch || state.owes_cookie;
        let now = config.now();
        if !asked && config.rolling != Rolling::EveryResponse && !config.touch_due(live, now) {
            return Ok(());
        }
        (live.clone(), asked, now)
    };
    let expires = config.deadline(&live.record, now);
    let touched = config
        .store
        .touch(live.key, live.record.revision, expires, now);
    let found = match config.ask(touched).await {
        // Who only read has lost nothing: the session ends when it would have.
        Err(StoreError::Full) if !asked => return Ok(()),
        found => found?,
    };
    let mut state = session.state();
    if found {
        state.moved = Moved::Touch;
        state.live = Some(Live { expires, ..live });
    } else {
        state.fate = Fate::Gone;
        state.live = None;
        state.stirs.stir();
        drop(state);
        config.endings.announce(live.key);
        events::gone(live.key, "it was touched");
    }
    Ok(())
}

impl State {
    fn outcome(&self, instead: Option<SessionError>) -> Outcome {
        Outcome {
            asked: self.asked,
            way: self.way,
            token: None,
            instead,
        }
    }

    /// Refuses what cannot be stored, and notes what is stored unmodified: `resave` and
    /// `save_uninitialized`.
    fn prepare(&mut self, config: &Config) -> Result<(), SessionError> {
        self.pending.unstorable.map_or(Ok(()), Err)?;
        match self.missed {
            Missed::Nothing => {}
            Missed::TooLate => return Err(SessionError::Gone),
            Missed::InDoubt => return Err(SessionError::Contended),
        }
        self.pending.wanted.force = match &self.live {
            Some(_) => config.resave && self.moved != Moved::Write,
            // Not where nobody could say whether the visitor has a session.
            None => {
                config.save_uninitialized
                    && self.fate == Fate::Open
                    && self.origin == Origin::WithoutSession
            }
        };
        Ok(())
    }

    /// A token that opens the session, where the visitor has none or its cookie would die sooner.
    fn owed(&self, config: &Config, settled: bool) -> Owed {
        let Some(live) = &self.live else {
            return Owed::Nothing;
        };
        let rolls = match config.rolling {
            // No lifetime travels with a header.
            _ if self.way == Way::Header => false,
            Rolling::EveryResponse => true,
            Rolling::OnTouch => config.is_persistent(live),
            Rolling::OnChange => config.is_persistent(live) && self.moved == Moved::Write,
        };
        // Only what the store has just found alive: another request may have ended the session, and
        // its visitor may have a new one.
        let due = self.moved >= Moved::Touch && (self.owes_cookie || (settled && rolls));
        if !due {
            return Owed::Nothing;
        }
        Owed::Token {
            id: live.id,
            lifetime: config.cookie_lifetime(live),
        }
    }
}

/// What the visitor is to be given.
enum Owed {
    Nothing,
    Token {
        id: SessionId,
        lifetime: CookieLifetime,
    },
    /// What takes the token away.
    Removal,
}

impl Owed {
    /// As the response has it; nobody listens to the log under the lock here.
    fn value(
        self,
        session: &RequestSession,
        way: Way,
        connection: Connection,
    ) -> Option<HeaderValue> {
        let config = &session.config;
        match (self, way) {
            (Self::Nothing, _) => None,
            (Self::Removal, Way::Header) => Some(transport::removal()),
            (Self::Removal, Way::Cookie) => Some(session.writer(connection)?.0.removal()),
            (Self::Token { id, .. }, Way::Header) => Some(transport::value(&id, &config.keys)),
            (Self::Token { id, lifetime }, Way::Cookie) => {
                let (writer, connection) = session.writer(connection)?;
                let sends = config.sends(writer, connection);
                sends.then(|| writer.set(&id, &config.keys, lifetime))
            }
        }
    }
}
