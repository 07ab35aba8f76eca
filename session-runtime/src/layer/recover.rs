//! Finds out what became of a write whose answer nobody has seen.

use super::admission;
use super::attempt::Attempt;
use super::config::Config;
use super::error::SessionError;
use super::request::RequestSession;
use crate::express;
use crate::record::Record;
use crate::store::Swap;

/// Settles a write whose caller was cancelled, or whose answer was lost: its revision says whether it
/// arrived. One that has not is not repeated, since nobody may want it any more; instead what it
/// started from is stored anew, so that it can arrive no more.
pub(super) async fn recover(session: &RequestSession) -> Result<(), SessionError> {
    let config = &session.config;
    let Some(attempt) = session.state().attempt.clone() else {
        return Ok(());
    };
    session.state().writable()?;
    if attempt.has_arrived(config).await? {
        return admission::arrived(session, attempt).await;
    }
    let Some(from) = attempt.from.clone() else {
        // A session that is to begin can be asked for again: its id takes one record only.
        let inserted = attempt.carry_out(config).await;
        if inserted.is_err() && !attempt.has_arrived(config).await? {
            return inserted.map(|_| ());
        }
        return admission::arrived(session, attempt).await;
    };
    let record = Record {
        revision: Config::new_revision(),
        ..from.record.clone()
    };
    let expires = config.deadline(&record, config.now());
    let connection = session.state().connection;
    let record = express::seal(record, expires, session.cookie_object(connection));
    let fence = from.anew(record, expires);
    let fencing = Attempt {
        from: Some(from),
        target: fence,
    };
    match fencing.carry_out(config).await? {
        Swap::Done => session.state().withdraw(fencing.target),
        // It may have arrived between the two questions.
        _ if attempt.has_arrived(config).await? => admission::arrived(session, attempt).await?,
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
pub(super) async fn look_back(session: &RequestSession) -> Result<(), SessionError> {
    let Some(attempt) = session.state().attempt.clone() else {
        return Ok(());
    };
    if attempt.has_arrived(&session.config).await? {
        admission::arrived(session, attempt).await?;
    }
    Ok(())
}
