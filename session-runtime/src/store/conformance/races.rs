//! The rules that only several callers at once can see broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::{SessionStore, Stored, Swap};
use super::crowd::{in_turns, race};
use super::kit::{Checked, conflicts_with, fresh_key, fresh_owner, in_an_hour, live, must_be, now};
use crate::id::StoreKey;
use crate::record::{Revision, Slice};

const RACERS: u64 = 32;
const ROUNDS: u64 = 8;

pub(super) async fn one_insert_wins<S: SessionStore>(store: &Checked<S>) {
    for _ in 0..ROUNDS {
        let key = fresh_key();
        let inserts = (0..RACERS).map(|number| {
            let store = store.clone();
            async move {
                let session = live(number);
                store.insert(&key, &session).await.then_some(session)
            }
        });
        let won: Vec<_> = race(inserts).await.into_iter().flatten().collect();
        must_be(
            won.len(),
            1,
            "of many `insert`s of one key one must answer `true`",
        );
        let sentence = "the `insert` that answered `true` must be the one that is stored";
        store.must_hold(&key, &won[0], sentence).await;
    }
}

pub(super) async fn one_replace_wins<S: SessionStore>(store: &Checked<S>) {
    for _ in 0..ROUNDS {
        let (key, before) = store.stored().await;
        let replaces = (0..RACERS).map(|number| {
            let store = store.clone();
            async move {
                let new = live(number);
                let swap = store.replace(&key, before.record.revision, &new).await;
                (new, swap)
            }
        });
        let (won, lost): (Vec<_>, Vec<_>) = race(replaces)
            .await
            .into_iter()
            .partition(|(_, swap)| *swap == Swap::Done);
        must_be(
            won.len(),
            1,
            "of many `replace`s of one revision one must answer `Done`",
        );
        let (winner, _) = &won[0];
        assert!(
            lost.iter().all(|(_, swap)| conflicts_with(swap, winner)),
            "a `replace` that lost must answer `Conflict` with what the winner stored"
        );
        let sentence = "the `replace` that answered `Done` must be the one that is stored";
        store.must_hold(&key, winner, sentence).await;
    }
}

/// Counts up from many sides, among touches that must not write back what they found.
pub(super) async fn no_update_is_lost<S: SessionStore>(store: &Checked<S>) {
    const EACH: u64 = 2;

    let (key, first) = store.stored().await;
    let counts = (0..RACERS).map(|_| {
        let (store, mut stands) = (store.clone(), first.clone());
        async move {
            for _ in 0..EACH {
                stands = add_one(&store, &key, stands).await;
                store.touch(&key, in_an_hour()).await;
            }
        }
    });
    race(counts).await;
    let found = store.load(&key).await.map(|stored| number(&stored));
    let sentence = "of updates that `replace` acknowledged none may be lost, to a `touch` neither";
    must_be(found, Some(RACERS * EACH), sentence);
}

/// Adds one to what stands, however often it takes, and returns what was stored.
async fn add_one<S: SessionStore>(
    store: &Checked<S>,
    key: &StoreKey,
    mut stands: Stored,
) -> Stored {
    // Each conflict is another's success, of which there are fewer than this.
    for _ in 0..100 * RACERS {
        let new = live(number(&stands) + 1);
        match store.replace(key, stands.record.revision, &new).await {
            Swap::Done => return new,
            Swap::Conflict(newer) => stands = newer,
            Swap::Gone => panic!("`replace` must not answer `Gone` for a live session"),
        }
    }
    panic!("`replace` must answer `Conflict` only if another write came between");
}

fn number(stored: &Stored) -> u64 {
    let raw = stored.record.fields.get(Slice::Named("check"), "number");
    raw.and_then(|raw| serde_json::from_slice(&raw).ok())
        .expect("the checks store a number")
}

pub(super) async fn one_rotation_wins<S: SessionStore>(store: &Checked<S>) {
    for _ in 0..ROUNDS {
        let (from, before) = store.stored().await;
        let rotations = (0..RACERS).map(|number| {
            let store = store.clone();
            async move {
                let (to, new) = (fresh_key(), live(number));
                let swap = store.rotate(&from, before.record.revision, &to, &new).await;
                (to, new, swap)
            }
        });
        let mut winners = 0;
        for (to, new, swap) in race(rotations).await {
            if swap == Swap::Done {
                winners += 1;
                let sentence = "a `rotate` that answered `Done` must be stored";
                store.must_hold(&to, &new, sentence).await;
                continue;
            }
            must_be(swap, Swap::Gone, "a `rotate` that lost must answer `Gone`");
            store
                .must_be_free(&to, "a `rotate` that lost must store nothing")
                .await;
        }
        must_be(
            winners,
            1,
            "of many `rotate`s of one session one must answer `Done`",
        );
        store
            .must_be_free(&from, "`rotate` must remove the session from its old key")
            .await;
    }
}

/// Many marks that all ask for one instant.
pub(super) async fn no_two_marks_are_the_same<S: SessionStore>(store: &Checked<S>) {
    for _ in 0..ROUNDS {
        let (owner, at) = (fresh_owner(), now());
        let marks = (0..RACERS).map(|_| {
            let store = store.clone();
            async move { store.mark(owner, at, in_an_hour()).await }
        });
        let mut marks = race(marks).await;
        marks.sort();
        let each = (0..RACERS).map(|millis| at.plus(Duration::from_millis(millis)));
        let sentence = "of many `mark`s at once each must be a millisecond after another";
        must_be(&marks, &each.collect(), sentence);
        let sentence = "the last of many `mark`s at once must be the one that stands";
        must_be(store.marked(owner).await, marks.last().copied(), sentence);
    }
}

/// A removal among writes that do all they can to come after it.
pub(super) async fn removal_is_final<S: SessionStore>(store: &Checked<S>) {
    const BACK: &str =
        "no `replace`, `touch` or `rotate` may bring back what was removed or rotated away";

    for round in 0..4 * ROUNDS {
        let (key, first) = store.stored().await;
        let to = fresh_key();
        let found_by = end_among_writes(store, round, key, first.record.revision, to).await;
        store.must_be_free(&key, BACK).await;
        assert!(
            found_by.len() < 2,
            "{BACK}: `rotate` and `remove` both found it"
        );
        assert!(
            !found_by.is_empty(),
            "`rotate` or `remove` must find a live session"
        );
        let moved = store.load(&to).await.is_some();
        let sentence =
            "`rotate` must store the session under its new key if it answers `Done`, else not";
        must_be(moved, found_by == ["rotate"], sentence);
    }
}

/// Removes and rotates a session while it is written. Says which of the two found it.
async fn end_among_writes<S: SessionStore>(
    store: &Checked<S>,
    round: u64,
    key: StoreKey,
    mut revision: Revision,
    to: StoreKey,
) -> Vec<&'static str> {
    let removed = Arc::new(AtomicBool::new(false));
    // Each part is the first one in some rounds.
    let parts = (round..round + 4).map(|part| {
        let (store, removed) = (store.clone(), Arc::clone(&removed));
        async move {
            match part % 4 {
                0 => {
                    let found = store.remove(&key).await;
                    removed.store(true, Ordering::Release);
                    return found.then_some("remove");
                }
                1 => {
                    return rotate(&store, &key, revision, &to)
                        .await
                        .then_some("rotate");
                }
                _ => {}
            }
            // At least one write of each kind begins after the removal has ended.
            let mut late = false;
            while !late {
                late = removed.load(Ordering::Acquire);
                if part % 4 == 2 {
                    store.touch(&key, in_an_hour()).await;
                } else if let Some(newer) = rewrite(&store, &key, revision).await {
                    revision = newer;
                }
                tokio::task::yield_now().await;
            }
            None
        }
    });
    let found_by = if round < 2 * ROUNDS {
        race(parts).await
    } else {
        in_turns(parts).await
    };
    found_by.into_iter().flatten().collect()
}

/// Rotates until it has worked, or the session is gone; says which.
async fn rotate<S: SessionStore>(
    store: &Checked<S>,
    from: &StoreKey,
    mut revision: Revision,
    to: &StoreKey,
) -> bool {
    loop {
        revision = match store.rotate(from, revision, to, &live(2)).await {
            Swap::Done => return true,
            Swap::Conflict(stands) => stands.record.revision,
            Swap::Gone => return false,
        };
    }
}

/// Replaces once; the revision that stands afterwards, if any.
async fn rewrite<S: SessionStore>(
    store: &Checked<S>,
    key: &StoreKey,
    revision: Revision,
) -> Option<Revision> {
    let new = live(1);
    match store.replace(key, revision, &new).await {
        Swap::Done => Some(new.record.revision),
        Swap::Conflict(stands) => Some(stands.record.revision),
        Swap::Gone => None,
    }
}
