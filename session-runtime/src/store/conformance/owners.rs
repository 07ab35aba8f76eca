//! The rules about owners: a session is found by those whose it is, and by nobody else.

use std::time::Duration;

use super::super::{SessionStore, StoreError, Stored};
use super::crowd::race;
use super::kit::{
    Checked, expired, fresh_key, fresh_owner, in_an_hour, live, must_be, now, of, since,
};
use super::values::several_owners;
use crate::id::StoreKey;
use crate::record::Revision;

/// More than fit a page, or the placeholders of one statement.
const MANY: u64 = 1100;

pub(super) async fn sessions_are_found_by_each_owner<S: SessionStore>(store: &Checked<S>) {
    for how in [
        "insert",
        "insert over a session that has expired",
        "replace",
        "rotate",
    ] {
        let (owners, session) = several_owners();
        let key = store_by(store, how, &session).await;
        for owner in owners {
            let found = store.owned_by(owner).await;
            let theirs: Vec<_> = found.iter().filter(|(found, _)| *found == key).collect();
            assert!(
                !theirs.is_empty(),
                "`owned_by` must find a session by each of its owners from the moment that \
                 `{how}` has answered: found {found:?}"
            );
            let sentence = "`owned_by` must find a session once";
            must_be(theirs.len(), 1, sentence);
            let loaded = store.load(&key).await;
            let sentence = "`owned_by` must answer a session as `load` does";
            must_be(Some(&theirs[0].1), loaded.as_ref(), sentence);
        }
        store.remove(&key).await;
    }
}

/// Stores a new session, one way or another. Says where.
async fn store_by<S: SessionStore>(store: &Checked<S>, how: &str, session: &Stored) -> StoreKey {
    match how {
        "insert" => store.stored_as(session).await,
        "replace" | "rotate" => {
            let anonymous = store.stored().await;
            write_by(store, how, anonymous, session).await
        }
        _ => {
            let key = fresh_key();
            store.insert(&key, &of(fresh_owner(), expired(0))).await;
            store.insert(&key, session).await;
            key
        }
    }
}

/// Stores a session in the place of another. Says where it is now.
async fn write_by<S: SessionStore>(
    store: &Checked<S>,
    how: &str,
    (key, stands): (StoreKey, Stored),
    session: &Stored,
) -> StoreKey {
    let revision = stands.record.revision;
    if how == "replace" {
        store.replace(&key, revision, session).await;
        return key;
    }
    let to = fresh_key();
    store.rotate(&key, revision, &to, session).await;
    to
}

pub(super) async fn nobody_finds_what_is_not_theirs<S: SessionStore>(store: &Checked<S>) {
    let mut sessions = Vec::new();
    for _ in 0..16 {
        let owner = fresh_owner();
        sessions.push((owner, store.stored_of(owner).await));
    }
    for (owner, session) in &sessions {
        let sentence = "`owned_by` must find nobody else's sessions";
        let theirs = std::slice::from_ref(session);
        store.must_own(*owner, theirs, sentence).await;
    }
    for (_, (key, _)) in sessions {
        store.remove(&key).await;
    }
}

/// A session of two owners, one of whom stays.
pub(super) async fn sessions_change_hands<S: SessionStore>(store: &Checked<S>) {
    for how in ["replace", "rotate"] {
        for is_taken_over in [true, false] {
            let [ann, bob, stays] = std::array::from_fn(|_| fresh_owner());
            let team = |mut session: Stored| {
                let owners = &session.record.owners;
                session.record.owners = owners.with("team", stays, now());
                session
            };
            let before = team(of(ann, live(1)));
            let mut after = team(live(2));
            if is_taken_over {
                after = of(bob, after);
            }
            let stored = (store.stored_as(&before).await, before);
            let key = write_by(store, how, stored, &after).await;

            let theirs = [(key, after)];
            let sentence = format!(
                "`owned_by` must not find a session once `{how}` has taken it from its owner"
            );
            store.must_own(ann, &[], &sentence).await;
            let sentence =
                format!("`owned_by` must find a session that `{how}` has given to another owner");
            let bobs = if is_taken_over { &theirs[..] } else { &[] };
            store.must_own(bob, bobs, &sentence).await;
            let sentence =
                format!("`owned_by` must find a session that `{how}` leaves to its owner");
            store.must_own(stays, &theirs, &sentence).await;
            store.remove(&key).await;
        }
    }
}

pub(super) async fn a_new_sign_in_is_told_from_the_old<S: SessionStore>(store: &Checked<S>) {
    let owner = fresh_owner();
    let (key, session) = store.stored_of(owner).await;
    let later = now().plus(Duration::from_mins(1));
    let anew = since(later, owner, live(1));
    store.replace(&key, session.record.revision, &anew).await;
    let sentence = "`owned_by` must answer since when the session is the owner's now";
    store.must_own(owner, &[(key, anew)], sentence).await;
    store.remove(&key).await;
}

/// Writes of the wrong revision, or to a taken key, that would give the session to another.
pub(super) async fn what_did_nothing_changes_no_hands<S: SessionStore>(store: &Checked<S>) {
    let (ann, bob) = (fresh_owner(), fresh_owner());
    let (key, session) = store.stored_of(ann).await;
    let (taken, other) = store.stored().await;
    let new = of(bob, live(1));
    let revision = session.record.revision;
    let wrong = Revision::from_u64(revision.as_u64() + 1);

    for how in ["insert", "replace", "rotate", "rotate to a taken key"] {
        match how {
            "insert" => drop(store.insert(&key, &new).await),
            "replace" => drop(store.replace(&key, wrong, &new).await),
            "rotate" => drop(store.rotate(&key, wrong, &fresh_key(), &new).await),
            _ => {
                let (new, now) = (new.clone(), now());
                let rotated = store.0.rotate(key, revision, taken, new, now).await;
                assert!(matches!(rotated, Err(StoreError::Taken)), "{rotated:?}");
            }
        }
        let sentence = format!("a `{how}` that does nothing must leave a session to its owner");
        store
            .must_own(ann, &[(key, session.clone())], &sentence)
            .await;
        store.must_own(bob, &[], &sentence).await;
    }
    store
        .must_hold(&taken, &other, "a taken key is left alone")
        .await;
    store.remove(&key).await;
    store.remove(&taken).await;
}

pub(super) async fn touch_keeps_a_session_listed<S: SessionStore>(store: &Checked<S>) {
    let owner = fresh_owner();
    let (key, session) = store.stored_of(owner).await;
    for expires in [
        in_an_hour().plus(Duration::from_hours(1)),
        now().plus(Duration::from_mins(10)),
    ] {
        store.touch(&key, expires).await;
        let touched = Stored {
            expires,
            ..session.clone()
        };
        let found = store.owned_by(owner).await;
        let sentence = "`owned_by` must find a session that was touched";
        must_be(found.len(), 1, sentence);
        let sentence = "`owned_by` must answer the end to which `touch` has moved it";
        store.must_own(owner, &[(key, touched)], sentence).await;
    }
    store.remove(&key).await;
}

pub(super) async fn sessions_of_one_owner_end_one_by_one<S: SessionStore>(store: &Checked<S>) {
    let owner = fresh_owner();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(store.stored_of(owner).await);
    }
    while let Some((key, _)) = sessions.pop() {
        store.remove(&key).await;
        let sentence = "`remove` of one session must leave its owner the others";
        store.must_own(owner, &sessions, sentence).await;
    }
}

pub(super) async fn an_owner_may_have_many<S: SessionStore>(store: &Checked<S>) {
    let owner = fresh_owner();
    let inserts = (0..MANY).map(|number| {
        let store = store.clone();
        async move {
            let session = of(owner, live(number));
            (store.stored_as(&session).await, session)
        }
    });
    let sessions = race(inserts).await;
    let found = store.owned_by(owner).await.len();
    let sentence = "`owned_by` must find every session of an owner, however many they are";
    must_be(found, sessions.len(), sentence);
    store.must_own(owner, &sessions, sentence).await;

    let removals = sessions.into_iter().map(|(key, _)| {
        let store = store.clone();
        async move { store.remove(&key).await }
    });
    race(removals).await;
    let sentence = "`owned_by` must not find a session that was removed";
    store.must_own(owner, &[], sentence).await;
}

pub(super) async fn a_sweep_leaves_the_living_listed<S: SessionStore>(store: &Checked<S>) {
    const LIMIT: usize = 100;

    let owner = fresh_owner();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let dead = of(owner, expired(0));
        store.insert(&fresh_key(), &dead).await;
        sessions.push(store.stored_of(owner).await);
    }
    while store.remove_expired(LIMIT).await >= LIMIT {}
    let sentence = "`remove_expired` must leave an owner the live sessions";
    store.must_own(owner, &sessions, sentence).await;
    for (key, _) in sessions {
        store.remove(&key).await;
    }
}
