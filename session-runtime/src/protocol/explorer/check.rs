//! The properties that hold in every state, of every write, of every response, and at the end.

use std::collections::BTreeSet;

use super::Bounds;
use super::model::Model;
use super::structs::{Account, numbers, read};
use super::world::{Request, Stage, World, appended_by, given, owner, since};
use crate::expiry::Timestamp;
use crate::protocol::state::Link;
use crate::protocol::{AtMaxSessions, Question, Refusal, Token};
use crate::record::{OwnerKey, Record};
use crate::store::Stored;

type Checked = Result<(), String>;

macro_rules! demand {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

/// What holds in every state.
pub(super) fn state(world: &World) -> Checked {
    if let Some(broken) = &world.broken {
        return Err(broken.clone());
    }
    let mut seen = BTreeSet::new();
    for (key, stored) in world.store.live(world.now()) {
        let Record { fields, owners, .. } = &stored.record;
        // An empty record keeps an id from being used: nobody can open it.
        let is_placeholder = fields.is_empty() && owners.is_empty();
        demand!(
            is_placeholder || !world.dead.contains(key),
            "terminal destroy: an ended id is live again"
        );
        let user = read::<Account>(fields).map(|account| owner(account.user));
        demand!(
            owners.keys().eq(user),
            "owned: the owners of a record are not those of its fields"
        );
        let list = numbers(fields);
        for (at, number) in list.iter().enumerate() {
            let by = appended_by(*number);
            let is_early = |later: &u8| by.is_some() && appended_by(*later) == by && later < number;
            demand!(
                !list[at..].iter().any(is_early),
                "in order: {number} comes before what its request appended earlier"
            );
        }
        for number in list {
            demand!(
                seen.insert(number),
                "no lost update: {number} is stored twice"
            );
            demand!(
                !world.buried.contains(&number),
                "terminal destroy: {number} has outlived its session"
            );
            let never = world.requests.iter().any(|it| it.never.contains(&number));
            demand!(
                !never,
                "atomic: {number} is stored though its request was told that nothing is"
            );
        }
    }
    Ok(())
}

/// What holds of every operation that the store carries out.
pub(super) fn write(question: &Question, before: &Model, after: &Model, now: Timestamp) -> Checked {
    let keeps = |old: &Stored, new: &Stored| -> Checked {
        demand!(
            old.record.created == new.record.created,
            "expiry: a write changes when the session began"
        );
        Ok(())
    };
    match question {
        Question::Replace { key, .. } => {
            if let (Some(old), Some(new)) = (before.find(*key, now), after.find(*key, now)) {
                keeps(old, new)?;
                let same = old.record.owners.keys().eq(new.record.owners.keys());
                demand!(
                    same,
                    "rotation on privilege: the owner changes and the id stays"
                );
            }
        }
        Question::Rotate { from, to, .. } => {
            if let (Some(old), Some(new)) = (before.find(*from, now), after.find(*to, now)) {
                keeps(old, new)?;
            }
        }
        _ => {}
    }
    for (_, stored) in after.live(now) {
        let last = stored
            .record
            .created
            .plus(std::time::Duration::from_hours(10));
        demand!(
            stored.expires <= last,
            "expiry: a session outlives its absolute timeout"
        );
    }
    Ok(())
}

/// What holds of a response that is sent.
pub(super) fn response(
    world: &World,
    at: usize,
    token: &Token,
    instead: Option<&Refusal>,
) -> Checked {
    let request = &world.requests[at];
    let session = &request.machine.session;
    let presented = |key| request.tokens.iter().any(|id| id.key() == key);
    let given = given(token);
    if let Some(key) = session.key()
        && !presented(key)
    {
        demand!(
            given == Some(key),
            "told: a visitor is not told of the new id"
        );
    }
    if let Some(key) = given {
        let is_there = world.store.find(key, world.now()).is_some();
        // The store has failed to say whether the session has another id.
        let is_in_doubt = instead == Some(&Refusal::Store);
        let has_ended = world.dead.contains(&key) || world.has_expired() || is_in_doubt;
        demand!(
            is_there || has_ended || world.was_removed(key),
            "told: a visitor is told of a session that is not there"
        );
    }
    if *token == Token::Remove {
        demand!(
            session.has_ended(),
            "told: a token is taken that opens a session"
        );
    }
    demand!(
        instead.is_none() || *token != Token::Remove,
        "told: a failed response takes the token"
    );
    let live = || world.store.live(world.now());
    if *token == Token::Remove {
        let mut numbers = live().flat_map(|(_, stored)| numbers(&stored.record.fields));
        demand!(
            !numbers.any(|number| request.came.contains(&number)),
            "told: a token is taken while its session has another id"
        );
    }
    if instead.is_none() && request.has_destroyed && !request.came.is_empty() {
        demand!(
            *token == Token::Remove,
            "told: a logout leaves the visitor the token"
        );
    }
    let signs_in = session
        .link
        .stored()
        .is_some_and(|stored| since(&stored.record).is_some());
    // A removal that fails within a save is not repeated by the commit.
    if instead.is_none() && request.tokens.len() > 1 && signs_in && world.faults == 0 {
        demand!(
            !live().any(|(key, _)| presented(*key)),
            "rivals: a sign-in leaves another session of its visitor"
        );
    }
    Ok(())
}

/// What holds of a revocation that has ended well.
pub(super) fn revocation(
    request: &Request,
    is_of_others: bool,
    marks: &[(OwnerKey, Timestamp)],
) -> Checked {
    demand!(
        !marks.is_empty(),
        "revoked: a revocation sets no mark against sign-ins that are under way"
    );
    demand!(
        !is_of_others || !request.machine.session.has_ended(),
        "kept: a revocation of others ends the request's own session"
    );
    Ok(())
}

/// What holds of a session that was evicted for the one that the request stores.
pub(super) fn eviction(request: &Request, evicted: Option<Timestamp>, bounds: &Bounds) -> Checked {
    demand!(
        bounds.limit == Some(AtMaxSessions::EvictOldest),
        "limit: a session is evicted where the new one is to be refused"
    );
    let own = match &request.machine.session.link {
        Link::Writing(write) => since(&write.target.record),
        link => link.stored().and_then(|stored| since(&stored.record)),
    };
    demand!(
        own.is_none() || evicted <= own,
        "limit: a newer session is evicted for an older one"
    );
    Ok(())
}

/// What holds once nothing can happen any more.
pub(super) fn end(world: &World, bounds: &Bounds) -> Checked {
    let now = world.now();
    let stored: Vec<u8> = world
        .store
        .live(now)
        .flat_map(|(_, stored)| numbers(&stored.record.fields))
        .collect();
    for request in &world.requests {
        demand!(
            request.stage == Stage::Done,
            "bounded: a request does not end"
        );
        demand!(!request.machine.is_busy(), "decided: a call is left open");
        let is_undecided = request.machine.session.is_undecided();
        demand!(
            request.told.is_none() || !is_undecided,
            "decided: a write is left in doubt"
        );
        for number in &request.acknowledged {
            let excused = world.buried.contains(number) || world.is_cleared || world.has_expired();
            demand!(
                excused || stored.contains(number),
                "no lost update: {number} was acknowledged and is lost"
            );
        }
    }
    for user in [owner(1), owner(2)] {
        let told = world.store.live(now).filter(|(key, stored)| {
            !world.is_untold(key) && stored.record.owners.since(user).is_some()
        });
        demand!(
            bounds.limit.is_none() || told.count() <= 1,
            "limit: an owner has more sessions than allowed"
        );
    }
    for (key, stored) in world.store.live(now) {
        for (owner, mark) in &world.revoked {
            let since = stored.record.owners.since(*owner);
            let is_revoked = since.is_some_and(|since| since <= *mark);
            demand!(
                !is_revoked || world.is_untold(key),
                "revoked: a session that was revoked is live"
            );
        }
    }
    Ok(())
}
