//! The rules about sessions that are dead: they look like ones that were never there.

use std::time::Duration;

use super::super::{SessionStore, Stored, Swap};
use super::kit::{
    Checked, an_hour_ago, expired, fresh_key, fresh_owner, in_an_hour, live, must_be, now, of, soon,
};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Revision};

/// A key without a live session.
struct Dead {
    how: &'static str,
    key: StoreKey,
    /// Whose it was last.
    owner: OwnerKey,
    /// Which revision it had last.
    last: Revision,
}

/// Every operation on every kind of dead session: each must find nothing, and leave nothing.
pub(super) async fn the_dead_look_absent<S: SessionStore>(store: &Checked<S>) {
    for dead in the_dead(store).await {
        let Dead {
            how,
            key,
            owner,
            last,
        } = dead;
        let answer = |call, word| format!("`{call}` of a session that {how} must answer `{word}`");
        let back = |call| format!("`{call}` must not bring back a session that {how}");
        let (new, to) = (of(owner, live(1)), fresh_key());

        let sentence = format!("`load` must not find a session that {how}");
        store.must_be_free(&key, &sentence).await;
        let sentence = format!("`owned_by` must not find a session that {how}");
        store.must_own(owner, &[], &sentence).await;

        let swap = store.replace(&key, last, &new).await;
        must_be(swap, Swap::Gone, &answer("replace", "Gone"));
        store.must_be_free(&key, &back("replace")).await;

        let swap = store.rotate(&key, last, &to, &new).await;
        must_be(swap, Swap::Gone, &answer("rotate", "Gone"));
        store.must_be_free(&key, &back("rotate")).await;
        store.must_be_free(&to, &back("rotate")).await;

        let touched = store.touch(&key, in_an_hour()).await;
        must_be(touched, false, &answer("touch", "false"));
        store.must_be_free(&key, &back("touch")).await;

        let removed = store.remove(&key).await;
        must_be(removed, false, &answer("remove", "false"));
        store.must_be_free(&key, &back("remove")).await;
        store.must_own(owner, &[], &sentence).await;
    }
    for Dead {
        how, key, owner, ..
    } in the_dead(store).await
    {
        let sentence = format!("`insert` must store over a session that {how}");
        let new = of(fresh_owner(), live(1));
        must_be(store.insert(&key, &new).await, true, &sentence);
        store.must_hold(&key, &new, &sentence).await;
        let sentence = format!("`insert` over a session that {how} must take it from its owner");
        store.must_own(owner, &[], &sentence).await;
    }
}

/// One of each kind, of an owner who had no other.
async fn the_dead<S: SessionStore>(store: &Checked<S>) -> Vec<Dead> {
    let mut all = Vec::new();
    for how in [
        "was never there",
        "was inserted with its end past",
        "was touched to an end that is past",
        "was replaced by one whose end is past",
        "was removed",
        "was rotated away",
        "was rotated with its end past",
    ] {
        all.push(dead(store, how).await);
    }
    all
}

async fn dead<S: SessionStore>(store: &Checked<S>, how: &'static str) -> Dead {
    let owner = fresh_owner();
    let (to, ended) = (fresh_key(), of(owner, expired(1)));
    let last = ended.record.revision;
    let dead = |key, last| Dead {
        how,
        key,
        owner,
        last,
    };
    if how == "was never there" {
        return dead(to, last);
    }
    if how == "was inserted with its end past" {
        let sentence =
            "`insert` must answer `true` for a session whose end is past: its key was free";
        must_be(store.insert(&to, &ended).await, true, sentence);
        return dead(to, last);
    }
    let (from, session) = store.stored_of(owner).await;
    let first = session.record.revision;
    match how {
        "was touched to an end that is past" => drop(store.touch(&from, an_hour_ago()).await),
        "was removed" => drop(store.remove(&from).await),
        "was rotated away" => drop(store.rotate(&from, first, &to, &live(1)).await),
        "was replaced by one whose end is past" => {
            store.replace(&from, first, &ended).await;
            return dead(from, last);
        }
        _ => {
            store.rotate(&from, first, &to, &ended).await;
            return dead(to, last);
        }
    }
    dead(from, first)
}

pub(super) async fn sessions_end_as_time_passes<S: SessionStore>(store: &Checked<S>) {
    let (key, end) = (fresh_key(), now().plus(Duration::from_millis(50)));
    let owner = fresh_owner();
    let session = Stored {
        expires: end,
        ..of(owner, live(0))
    };
    store.insert(&key, &session).await;
    let sentence = "`load` must not find a session once `now` has reached its end";
    soon(sentence, async || {
        store.load_at(&key, end.max(now())).await.is_none()
    })
    .await;
    let sentence = "`owned_by` must not find a session once `now` has reached its end";
    soon(sentence, async || {
        let listed = store.owned_by_at(owner, end.max(now())).await;
        listed.is_empty()
    })
    .await;
}

pub(super) async fn a_sweep_frees_the_dead_alone<S: SessionStore>(store: &Checked<S>) {
    const LIMIT: usize = 10;
    /// So many calls would free a million sessions.
    const MOST_CALLS: usize = 100_000;

    let live: Vec<_> = (0..200).map(|number| (fresh_key(), live(number))).collect();
    for (key, session) in &live {
        store.insert(&fresh_key(), &expired(0)).await;
        store.insert(key, session).await;
    }
    let mut calls = 0;
    loop {
        let freed = store.remove_expired(LIMIT).await;
        assert!(
            freed <= 5 * LIMIT,
            "`remove_expired` must free up to about its limit: it freed {freed} of {LIMIT}"
        );
        if freed < LIMIT {
            break;
        }
        calls += 1;
        assert!(
            calls < MOST_CALLS,
            "`remove_expired` must answer less than its limit once nothing is left"
        );
    }
    for (key, session) in &live {
        let sentence = "`remove_expired` must leave live sessions alone";
        store.must_hold(key, session, sentence).await;
    }
}
