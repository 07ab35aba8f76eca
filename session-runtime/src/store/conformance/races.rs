//! The rules that only several callers at once can see broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{SessionStore, Stored, Swap};
use super::kit::{Checked, fresh_key, in_an_hour, live, race, same};
use crate::id::StoreKey;
use crate::record::{Revision, Slice};

const RACERS: u64 = 32;
const ROUNDS: u64 = 16;

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
        let [winner] = &won[..] else {
            panic!("of many `insert`s of one key one must answer `true`: {} did", won.len());
        };
        store
            .expect(&key, winner, "the `insert` that answered `true` must be the one that is stored")
            .await;
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
        let [(winner, _)] = &won[..] else {
            panic!("of many `replace`s of one revision one must answer `Done`: {} did", won.len());
        };
        let is_winner =
            |swap: &Swap| matches!(swap, Swap::Conflict(stands) if same(stands, winner));
        assert!(
            lost.iter().all(|(_, swap)| is_winner(swap)),
            "a `replace` that lost must answer `Conflict` with what the winner stored"
        );
        store
            .expect(&key, winner, "the `replace` that answered `Done` must be the one that is stored")
            .await;
    }
}

pub(super) async fn no_update_is_lost<S: SessionStore>(store: &Checked<S>) {
    const EACH: u64 = 4;

    let (key, first) = store.stored().await;
    let tasks = (0..RACERS).map(|_| {
        let (store, mut stands) = (store.clone(), first.clone());
        async move {
            for _ in 0..EACH {
                stands = add_one(&store, &key, stands).await;
            }
        }
    });
    race(tasks).await;
    let found = store.load(&key).await.map(|stored| number(&stored));
    let all = RACERS * EACH;
    assert_eq!(found, Some(all), "of {all} updates that `replace` acknowledged some were lost");
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
                store.expect(&to, &new, "a `rotate` that answered `Done` must be stored").await;
                continue;
            }
            assert_eq!(swap, Swap::Gone, "a `rotate` that lost must answer `Gone`");
            store.expect_none(&to, "a `rotate` that lost must store nothing").await;
        }
        assert_eq!(winners, 1, "of many `rotate`s of one session one must answer `Done`");
        store.expect_none(&from, "`rotate` must remove the session from its old key").await;
    }
}

/// A removal among writes that do all they can to come after it.
pub(super) async fn removal_is_final<S: SessionStore>(store: &Checked<S>) {
    const BACK: &str =
        "no `replace`, `touch` or `rotate` may bring back what was removed or rotated away";

    for _ in 0..4 * ROUNDS {
        let (key, first) = store.stored().await;
        let to = fresh_key();
        let over = Arc::new(AtomicBool::new(false));
        let found = race((0..4).map(|part| {
            let (store, over) = (store.clone(), Arc::clone(&over));
            let revision = first.record.revision;
            async move {
                match part {
                    0 => rewrite(&store, &key, revision, &over).await,
                    1 => keep_touching(&store, &key, &over).await,
                    2 => return move_away(&store, &key, revision, &to).await.then_some("rotate"),
                    _ => {
                        let removed = store.remove(&key).await;
                        over.store(true, Ordering::Release);
                        return removed.then_some("remove");
                    }
                }
                None
            }
        }))
        .await;
        let found: Vec<_> = found.into_iter().flatten().collect();
        store.expect_none(&key, BACK).await;
        assert!(found.len() < 2, "{BACK}: `rotate` and `remove` both found it");
        assert_eq!(found.len(), 1, "`rotate` or `remove` must find a live session");
        let moved = store.load(&to).await.is_some();
        assert_eq!(
            moved,
            found == ["rotate"],
            "`rotate` must store the session under its new key if it answers `Done`, else not"
        );
    }
}

/// Replaces until the session is gone, or once more after it should be.
async fn rewrite<S: SessionStore>(
    store: &Checked<S>,
    key: &StoreKey,
    mut revision: Revision,
    over: &AtomicBool,
) {
    let mut last = false;
    while !last {
        last = over.load(Ordering::Acquire);
        let new = live(1);
        revision = match store.replace(key, revision, &new).await {
            Swap::Done => new.record.revision,
            Swap::Conflict(stands) => stands.record.revision,
            Swap::Gone => return,
        };
    }
}

/// Touches until the session is gone, or once more after it should be.
async fn keep_touching<S: SessionStore>(store: &Checked<S>, key: &StoreKey, over: &AtomicBool) {
    let mut last = false;
    while !last {
        let late = over.load(Ordering::Acquire);
        last = !store.touch(key, in_an_hour()).await || late;
    }
}

/// Rotates until it has worked, or the session is gone; says which.
async fn move_away<S: SessionStore>(
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
