//! The rules about sessions that are dead: they look like ones that were never there.

use std::time::Duration;

use super::super::{SessionStore, Stored, Swap};
use super::kit::{Checked, an_hour_ago, expired, fresh_key, in_an_hour, live, must_be, now};
use crate::id::StoreKey;
use crate::record::Revision;

/// Every operation on every kind of dead session: each must find nothing, and leave nothing.
pub(super) async fn the_dead_look_absent<S: SessionStore>(store: &Checked<S>) {
    for (how, key, last) in the_dead(store).await {
        let answer = |call, word| format!("`{call}` of a session that {how} must answer `{word}`");
        let back = |call| format!("`{call}` must not bring back a session that {how}");
        let (new, to) = (live(1), fresh_key());

        let sentence = format!("`load` must not find a session that {how}");
        store.must_be_free(&key, &sentence).await;

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
    }
    for (how, key, _) in the_dead(store).await {
        let sentence = format!("`insert` must store over a session that {how}");
        let new = live(1);
        must_be(store.insert(&key, &new).await, true, &sentence);
        store.must_hold(&key, &new, &sentence).await;
    }
}

/// Keys without a live session, how each came to be so, and the revision that it had last.
async fn the_dead<S: SessionStore>(store: &Checked<S>) -> Vec<(&'static str, StoreKey, Revision)> {
    let never = fresh_key();

    let (inserted, ended) = (fresh_key(), expired(0));
    let first = ended.record.revision;
    let sentence = "`insert` must answer `true` for a session whose end is past: its key was free";
    must_be(store.insert(&inserted, &ended).await, true, sentence);

    let (touched, session) = store.stored().await;
    let second = session.record.revision;
    store.touch(&touched, an_hour_ago()).await;

    let ((replaced, session), ended) = (store.stored().await, expired(1));
    let third = ended.record.revision;
    store
        .replace(&replaced, session.record.revision, &ended)
        .await;

    let (removed, session) = store.stored().await;
    let fourth = session.record.revision;
    store.remove(&removed).await;

    let (away, session) = store.stored().await;
    let fifth = session.record.revision;
    store.rotate(&away, fifth, &fresh_key(), &live(1)).await;

    let ((from, session), ended) = (store.stored().await, expired(1));
    let (rotated, sixth) = (fresh_key(), ended.record.revision);
    store
        .rotate(&from, session.record.revision, &rotated, &ended)
        .await;

    vec![
        ("was never there", never, first),
        ("was inserted with its end past", inserted, first),
        ("was touched to an end that is past", touched, second),
        ("was replaced by one whose end is past", replaced, third),
        ("was removed", removed, fourth),
        ("was rotated away", away, fifth),
        ("was rotated with its end past", rotated, sixth),
    ]
}

pub(super) async fn sessions_end_as_time_passes<S: SessionStore>(store: &Checked<S>) {
    let (key, end) = (fresh_key(), now().plus(Duration::from_millis(50)));
    let session = Stored {
        expires: end,
        ..live(0)
    };
    store.insert(&key, &session).await;
    // A store that goes by the `now` it is told needs one look, one with a clock of its own a few.
    for _ in 0..100 {
        if store.load_at(&key, end.max(now())).await.is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("`load` must not find a session once `now` has reached its end");
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
