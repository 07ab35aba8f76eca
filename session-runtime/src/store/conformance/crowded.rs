//! The rules about owners that only several callers at once can see broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::yield_now;

use super::super::{SessionStore, Stored, Swap};
use super::crowd::{dawdle, in_turns, race};
use super::kit::{
    Checked, expired, fresh_key, fresh_owner, in_an_hour, live, must_be, now, of, since,
};
use crate::id::StoreKey;
use crate::record::OwnerKey;

const ROUNDS: u64 = 8;

/// A session that is written all the time, beside others that come and go.
pub(super) async fn what_is_written_stays_listed<S: SessionStore>(store: &Checked<S>) {
    const LISTERS: u64 = 8;
    const LISTS: u64 = 32;

    for _ in 0..ROUNDS {
        let owner = fresh_owner();
        let (key, first) = store.stored_of(owner).await;
        let listing = Arc::new(AtomicU64::new(LISTERS));
        let parts = (0..LISTERS + 3).map(|part| {
            let (store, mut stands) = (store.clone(), first.record.revision);
            let listing = Arc::clone(&listing);
            async move {
                if part < LISTERS {
                    let mut found = true;
                    for _ in 0..LISTS {
                        let listed = store.owned_by(owner).await;
                        found &= listed.iter().any(|(listed, _)| *listed == key);
                        yield_now().await;
                    }
                    listing.fetch_sub(1, Ordering::Release);
                    return found;
                }
                while listing.load(Ordering::Acquire) > 0 {
                    match part - LISTERS {
                        0 => {
                            let new = of(owner, live(1));
                            store.replace(&key, stands, &new).await;
                            stands = new.record.revision;
                        }
                        1 => drop(store.touch(&key, in_an_hour()).await),
                        _ => {
                            let (key, _) = store.stored_of(owner).await;
                            store.remove(&key).await;
                        }
                    }
                    yield_now().await;
                }
                true
            }
        });
        let found = race(parts).await;
        store.remove(&key).await;
        let sentence = "`owned_by` must find a session of the owner's while it is written";
        must_be(found.into_iter().all(|found| found), true, sentence);
    }
}

/// Sessions of one owner that begin, change, and end all at once.
pub(super) async fn the_list_is_exact_after_a_crowd<S: SessionStore>(store: &Checked<S>) {
    const RACERS: u64 = 32;

    for round in 0..ROUNDS {
        let (ann, bob) = (fresh_owner(), fresh_owner());
        let mut shared = Vec::new();
        for _ in 0..4 {
            shared.push(store.stored_of(ann).await);
        }
        let racers = shared
            .iter()
            .cycle()
            .zip(0..RACERS)
            .map(|(shared, number)| {
                let (store, shared) = (store.clone(), shared.clone());
                async move {
                    let mut keys = live_a_life(&store, ann, bob, number).await;
                    keys.extend(move_or_remove(&store, ann, shared, number).await);
                    keys
                }
            });
        let keys = if round % 2 == 0 {
            race(racers).await
        } else {
            in_turns(racers).await
        };
        let shared = shared.into_iter().map(|(key, _)| key);
        let (mut anns, mut bobs) = (Vec::new(), Vec::new());
        for key in keys.into_iter().flatten().chain(shared) {
            let Some(found) = store.load(&key).await else {
                continue;
            };
            let owners = &found.record.owners;
            match (owners.since(ann), owners.since(bob)) {
                (Some(_), _) => anns.push((key, found)),
                (_, Some(_)) => bobs.push((key, found)),
                _ => drop(store.remove(&key).await),
            }
        }
        let sentence = "`owned_by` must find exactly what `load` finds, however many wrote at once";
        store.must_own(ann, &anns, sentence).await;
        store.must_own(bob, &bobs, sentence).await;
        for (key, _) in anns.into_iter().chain(bobs) {
            store.remove(&key).await;
        }
    }
}

/// One session: it begins, and then one of several things happens to it. Says where it has been.
async fn live_a_life<S: SessionStore>(
    store: &Checked<S>,
    ann: OwnerKey,
    bob: OwnerKey,
    number: u64,
) -> Vec<StoreKey> {
    let (key, session) = store.stored_of(ann).await;
    let revision = session.record.revision;
    store.owned_by(ann).await;
    let (to, anew) = (fresh_key(), of(ann, live(1)));
    match number % 8 {
        0 => {}
        1 => drop(store.remove(&key).await),
        2 => drop(store.replace(&key, revision, &of(bob, live(1))).await),
        3 => drop(store.replace(&key, revision, &of(bob, expired(1))).await),
        4 => drop(store.rotate(&key, revision, &to, &of(bob, live(1))).await),
        5 => drop(store.rotate(&key, revision, &to, &live(1)).await),
        6 => {
            store.replace(&key, revision, &anew).await;
            store.touch(&key, in_an_hour()).await;
        }
        _ => {
            store.rotate(&key, revision, &to, &anew).await;
            store.owned_by(ann).await;
            let (back, new) = (fresh_key(), of(ann, live(2)));
            store.rotate(&to, anew.record.revision, &back, &new).await;
            return vec![key, to, back];
        }
    }
    vec![key, to]
}

/// What several do with one session at once. Says where it may be.
async fn move_or_remove<S: SessionStore>(
    store: &Checked<S>,
    owner: OwnerKey,
    (key, session): (StoreKey, Stored),
    number: u64,
) -> Option<StoreKey> {
    dawdle().await;
    if number.is_multiple_of(8) {
        store.remove(&key).await;
        return None;
    }
    let (to, new) = (fresh_key(), of(owner, live(3)));
    let swap = store.rotate(&key, session.record.revision, &to, &new).await;
    (swap == Swap::Done).then_some(to)
}

/// One session that several take from each other, until each has had it.
pub(super) async fn the_last_to_take_a_session_has_it<S: SessionStore>(store: &Checked<S>) {
    for round in 0..4 * ROUNDS {
        let owners = [fresh_owner(), fresh_owner()];
        let (key, first) = store.stored_of(owners[0]).await;
        let takers = [0, 1, 0, 1].map(|taker| {
            let (store, mut stands) = (store.clone(), first.record.revision);
            async move {
                loop {
                    let new = of(owners[taker], live(1));
                    match store.replace(&key, stands, &new).await {
                        Swap::Conflict(newer) => stands = newer.record.revision,
                        Swap::Done | Swap::Gone => return,
                    }
                }
            }
        });
        if round % 2 == 0 {
            race(takers).await;
        } else {
            in_turns(takers).await;
        }
        let found = store
            .load(&key)
            .await
            .expect("`replace` must keep the session");
        for owner in owners {
            let is_theirs = found.record.owners.since(owner).is_some();
            let theirs = is_theirs.then(|| (key, found.clone()));
            let sentence = "`owned_by` must find a session that goes to and fro for its last owner";
            store.must_own(owner, theirs.as_slice(), sentence).await;
        }
        store.remove(&key).await;
    }
}

/// What the mark is for: who signs in stores the session and then reads the mark, who revokes sets
/// the mark and then lists the sessions. Others look on.
pub(super) async fn no_sign_in_slips_through<S: SessionStore>(store: &Checked<S>) {
    const SIGN_INS: u64 = 8;
    const ONLOOKERS: u64 = 4;

    for round in 0..16 * ROUNDS {
        let (owner, at) = (fresh_owner(), now());
        let revoked = Arc::new(AtomicBool::new(false));
        let mut parts: Vec<_> = (0..=SIGN_INS + ONLOOKERS).collect();
        fastrand::shuffle(&mut parts);
        let parts = parts.into_iter().map(|part| {
            let (store, revoked) = (store.clone(), Arc::clone(&revoked));
            async move {
                if part < SIGN_INS {
                    let began = at.minus(Duration::from_millis(part / 2));
                    let session = since(began, owner, live(part));
                    return Some(sign_in(&store, owner, session, part % 2 == 0).await);
                }
                if part == SIGN_INS {
                    dawdle().await;
                    let mark = store.mark(owner, at, in_an_hour()).await;
                    dawdle().await;
                    for (key, session) in store.owned_by(owner).await {
                        if session.record.owners.since(owner) <= Some(mark) {
                            store.remove(&key).await;
                        }
                    }
                    revoked.store(true, Ordering::Release);
                }
                while !revoked.load(Ordering::Acquire) {
                    store.owned_by(owner).await;
                    store.marked(owner).await;
                    yield_now().await;
                }
                None
            }
        });
        let keys = if round % 2 == 0 {
            race(parts).await
        } else {
            in_turns(parts).await
        };
        for key in keys.into_iter().flatten() {
            let sentence = "who stores a session and then finds no `marked` must be found by who \
                            asks `mark` and then `owned_by`";
            store.must_be_free(&key, sentence).await;
        }
    }
}

/// Begins a session, and ends it if its owner was marked since. Says where it was.
async fn sign_in<S: SessionStore>(
    store: &Checked<S>,
    owner: OwnerKey,
    session: Stored,
    by_rotation: bool,
) -> StoreKey {
    let key = fresh_key();
    dawdle().await;
    if by_rotation {
        let (from, anonymous) = store.stored().await;
        dawdle().await;
        let revision = anonymous.record.revision;
        store.rotate(&from, revision, &key, &session).await;
    } else {
        store.insert(&key, &session).await;
    }
    dawdle().await;
    if session.record.owners.since(owner) <= store.marked(owner).await {
        store.remove(&key).await;
    }
    key
}
