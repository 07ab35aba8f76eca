//! Finds out what became of a write whose answer nobody has seen.

use super::admission;
use super::attempt::Attempt;
use super::config::Config;
use super::error::SessionError;
use super::request::RequestSession;
use super::state::State;
use crate::express;
use crate::record::{Fields, Owners, Record};
use crate::store::Swap;

/// Settles a write whose caller was cancelled, or whose answer was lost: its revision says whether it
/// arrived. One that has not is not repeated, since nobody may want it any more; instead what it
/// started from is stored anew, so that it can arrive no more. A session that was to begin is
/// forestalled, and begins under another id if it is still wanted.
pub(super) async fn recover(session: &RequestSession) -> Result<(), SessionError> {
    let attempt = session.state().attempt.clone();
    match attempt {
        None => Ok(()),
        // Boxed, as all that is rare here: each future has room for what it may wait for.
        Some(attempt) => Box::pin(settle(session, *attempt)).await,
    }
}

async fn settle(session: &RequestSession, attempt: Attempt) -> Result<(), SessionError> {
    let config = &session.config;
    session.state().writable()?;
    if attempt.has_arrived(config).await? {
        return admission::arrived(session, attempt).await;
    }
    let Some(from) = attempt.from.clone() else {
        if forestall(session, &attempt).await? {
            session.state().attempt = None;
            return Ok(());
        }
        return admission::arrived(session, attempt).await;
    };
    let now = config.now();
    let record = Record {
        revision: Config::new_revision(now),
        ..from.record.clone()
    };
    let expires = config.deadline(&record, now);
    let connection = session.state().connection;
    let record = express::seal(record, expires, session.cookie_object(connection));
    let fence = from.anew(record, expires);
    let fencing = Attempt {
        from: Some(from),
        target: fence,
    };
    match fencing.carry_out(config, now).await? {
        Swap::Done => session.state().withdraw(fencing.target),
        // It may have arrived between the two questions.
        _ if attempt.has_arrived(config).await? => admission::arrived(session, attempt).await?,
        Swap::Gone => return Err(State::lose(session.state())),
        // Somebody wrote after it, so that nobody can tell whether it arrived.
        Swap::Conflict(standing) => {
            session.state().doubt(&attempt, standing);
            return Err(SessionError::Contended);
        }
    }
    Ok(())
}

/// Sees to it that a session that was to begin never does; `false` if it has begun.
///
/// Its id takes one record only, so an empty one is put there, which nobody can open and which stays
/// for as long as the session would have.
pub(super) async fn forestall(
    session: &RequestSession,
    attempt: &Attempt,
) -> Result<bool, SessionError> {
    let (config, target) = (&session.config, &attempt.target);
    let now = config.now();
    let nothing = Record {
        revision: Config::new_revision(now),
        owners: Owners::default(),
        fields: Fields::default(),
        ..target.record
    };
    let connection = session.state().connection;
    let cookie = session.cookie_object(connection);
    let nothing = express::seal(nothing, target.expires, cookie);
    let placeholder = target.anew(nothing, target.expires).stored();
    let put = config.store.insert(target.key, placeholder, now);
    // Where the id is taken, it may be by an earlier try of this.
    Ok(config.ask(put).await? || !attempt.has_arrived(config).await?)
}
