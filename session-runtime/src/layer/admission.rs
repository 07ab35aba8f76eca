//! Lets a session be somebody's: its sign-in must be later than their last revocation, and they must
//! not have too many.

use super::attempt::Attempt;
use super::config::{AtMaxSessions, Config};
use super::error::SessionError;
use super::events;
use super::request::RequestSession;
use super::state::State;
use crate::record::OwnerKey;

/// How often the oldest sessions are looked for while they change their ids.
const EVICTIONS: u32 = 8;

/// Refuses a sign-in that would be one too many, before anything is stored.
///
/// The handler may go on: nothing of what it changed is stored then.
pub(super) async fn make_room(
    session: &RequestSession,
    attempt: &Attempt,
) -> Result<(), SessionError> {
    let config = &session.config;
    let (Some(max), AtMaxSessions::RefuseNew) = (config.max_sessions, config.at_max_sessions)
    else {
        return Ok(());
    };
    for owner in newcomers(attempt) {
        if config.owned(owner).await?.len() >= max {
            let mut state = session.state();
            state.attempt = None;
            state.drop_changes();
            return Err(SessionError::TooManySessions { max });
        }
    }
    Ok(())
}

/// Whether a write that has arrived may yet have to be withdrawn.
pub(super) fn is_needed(attempt: &Attempt) -> bool {
    attempt.has_new_id() && !attempt.target.record.owners.is_empty()
}

/// A write has arrived. If it put somebody's session under a new id and that may not be, the session
/// is withdrawn: nobody has learned of the id.
pub(super) async fn arrived(
    session: &RequestSession,
    attempt: Attempt,
) -> Result<(), SessionError> {
    let config = &session.config;
    if is_needed(&attempt)
        && let Err(error) = admit(config, &attempt).await
    {
        events::withdrawn(attempt.target.key, &error);
        let removed = config.remove(attempt.target.key).await;
        State::lose(session.state());
        // A session that is left behind is the worse news, though nobody can open it.
        return Err(removed.map_or_else(SessionError::from, |_| error));
    }
    State::adopt(session.state(), attempt);
    Ok(())
}

/// Who revokes sets the mark before listing what there is, and who signs in reads it after storing:
/// one of the two sees the other.
async fn admit(config: &Config, attempt: &Attempt) -> Result<(), SessionError> {
    let owners = &attempt.target.record.owners;
    for owner in owners.keys() {
        let mark = config.ask(config.store.marked(owner, config.now())).await?;
        if mark.is_some_and(|mark| owners.since(owner) <= Some(mark)) {
            return Err(SessionError::Gone);
        }
    }
    let Some(max) = config.max_sessions else {
        return Ok(());
    };
    for owner in newcomers(attempt) {
        limit(config, owner, max, attempt).await?;
    }
    Ok(())
}

/// Brings an owner back to `max` sessions. All who do so at once agree which are the oldest.
async fn limit(
    config: &Config,
    owner: OwnerKey,
    max: usize,
    attempt: &Attempt,
) -> Result<(), SessionError> {
    for _ in 0..EVICTIONS {
        let mut sessions = config.owned(owner).await?;
        let Some(excess) = sessions.len().checked_sub(max).filter(|it| *it > 0) else {
            return Ok(());
        };
        if config.at_max_sessions == AtMaxSessions::RefuseNew {
            return Err(SessionError::TooManySessions { max });
        }
        sessions.sort_by_key(|(key, stored)| (stored.record.owners.since(owner), *key));
        let mut all_were_there = true;
        for (key, _) in &sessions[..excess] {
            if *key == attempt.target.key {
                return Err(SessionError::Gone);
            }
            let was_there = config.remove(*key).await?;
            if was_there {
                events::evicted(*key, max);
            }
            all_were_there &= was_there;
        }
        if all_were_there {
            return Ok(());
        }
        // One that was not has a new id by now, perhaps.
    }
    events::not_evicted(max);
    Ok(())
}

/// The owners whose session it was not before.
fn newcomers(attempt: &Attempt) -> impl Iterator<Item = OwnerKey> {
    let before = attempt.from.as_ref().map(|from| &from.record.owners);
    let owners = attempt.target.record.owners.keys();
    owners.filter(move |owner| before.is_none_or(|before| before.since(*owner).is_none()))
}
