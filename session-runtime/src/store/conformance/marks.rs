//! The rules about the mark by which an owner's sign-ins are revoked.

use std::time::Duration;

use super::super::{SessionStore, Stored};
use super::kit::{
    Checked, an_hour_ago, expired, fresh_key, fresh_owner, in_an_hour, live, must_be, now, of, soon,
};
use crate::record::OwnerKey;

const HOUR: Duration = Duration::from_hours(1);
const MILLI: Duration = Duration::from_millis(1);

/// A check can wait for so long.
const SHORT: Duration = Duration::from_millis(50);

pub(super) async fn a_mark_is_set_and_read<S: SessionStore>(store: &Checked<S>) {
    let (owner, at) = (fresh_owner(), now());
    let sentence = "`marked` must answer `None` for an owner whom nobody has marked";
    must_be(store.marked(owner).await, None, sentence);

    let mark = store.mark(owner, at, in_an_hour()).await;
    must_be(mark, at, "`mark` must answer `at` if no mark stands");
    let sentence = "`marked` must answer the mark from the moment that `mark` has answered";
    must_be(store.marked(owner).await, Some(at), sentence);
}

pub(super) async fn marks_go_forward<S: SessionStore>(store: &Checked<S>) {
    const FORWARD: &str = "`mark` must answer `at`, or a millisecond after the mark that stands, \
                           whichever is later";

    let (owner, at) = (fresh_owner(), now());
    let after = |millis| at.plus(Duration::from_millis(millis));
    let steps = [
        (at, at),
        (at, after(1)),
        (an_hour_ago(), after(2)),
        (after(1), after(3)),
        (after(3), after(4)),
        (after(5), after(5)),
        (after(5007), after(5007)),
        (after(5006), after(5008)),
    ];
    for (given, expected) in steps {
        let mark = store.mark(owner, given, in_an_hour()).await;
        must_be(mark, expected, FORWARD);
        let sentence = "`marked` must answer the last mark";
        must_be(store.marked(owner).await, Some(expected), sentence);
    }
}

pub(super) async fn who_is_revoked_sets_no_mark<S: SessionStore>(store: &Checked<S>) {
    let (owner, at) = (fresh_owner(), now());
    let after = |millis| at.plus(Duration::from_millis(millis));
    let sentence = "`mark` must set one for who signed in at `since` if none stands";
    let mark = store.mark_since(owner, at, an_hour_ago()).await;
    must_be(mark, Some(at), sentence);
    let sentence = "`mark` must answer `None` if the mark that stands is not before `since`";
    for since in [an_hour_ago(), at.minus(MILLI), at] {
        must_be(
            store.mark_since(owner, after(1), since).await,
            None,
            sentence,
        );
        let sentence = "`mark` must do nothing where it answers `None`";
        must_be(store.marked(owner).await, Some(at), sentence);
    }
    let sentence = "`mark` must set one if the mark that stands is before `since`";
    let mark = store.mark_since(owner, at, after(1)).await;
    must_be(mark, Some(after(1)), sentence);
}

pub(super) async fn a_mark_is_its_owners_alone<S: SessionStore>(store: &Checked<S>) {
    let owners: [OwnerKey; 16] = std::array::from_fn(|_| fresh_owner());
    let ours = |number: u64| now().minus(Duration::from_secs(60 * number));
    let mut marks = Vec::new();
    for (owner, number) in owners.into_iter().zip(1..) {
        marks.push((owner, store.mark(owner, ours(number), in_an_hour()).await));
    }
    let sentence = "a mark must be its owner's alone";
    for (owner, mark) in marks {
        must_be(store.marked(owner).await, Some(mark), sentence);
    }
    must_be(store.marked(fresh_owner()).await, None, sentence);
}

pub(super) async fn a_mark_is_past_at_its_until<S: SessionStore>(store: &Checked<S>) {
    let (owner, at, until) = (fresh_owner(), now(), in_an_hour());
    store.mark(owner, at, until).await;
    let sentence = "a mark must stand until `until`, not a millisecond less";
    must_be(
        store.marked_at(owner, until.minus(MILLI)).await,
        Some(at),
        sentence,
    );

    let (owner, until) = (fresh_owner(), now().plus(SHORT));
    let later = in_an_hour();
    store.mark(owner, later, until).await;
    let sentence = "a mark must be past once `now` has reached its `until`";
    soon(sentence, async || {
        store.marked_at(owner, until.max(now())).await.is_none()
    })
    .await;

    // To a store that goes by the `now` it is told, the mark is past only now.
    tokio::time::sleep(SHORT).await;
    let mark = store.mark(owner, at, in_an_hour()).await;
    let sentence = "`mark` must answer `at` if the mark that stood is past";
    must_be(mark, at, sentence);
}

pub(super) async fn a_mark_is_kept_for_the_longer<S: SessionStore>(store: &Checked<S>) {
    let kept = "a mark must be kept for as long as the one that stood";
    must_stand_for_an_hour(store, [HOUR, SHORT], kept).await;
    let kept = "a mark must be kept longer than the one that stood if it is asked so";
    must_stand_for_an_hour(store, [SHORT, HOUR], kept).await;
}

async fn must_stand_for_an_hour<S: SessionStore>(
    store: &Checked<S>,
    [first, then]: [Duration; 2],
    sentence: &str,
) {
    let (owner, at) = (fresh_owner(), now());
    store.mark(owner, at, at.plus(first)).await;
    let mark = Some(store.mark(owner, at, at.plus(then)).await);
    let last = at.plus(HOUR).minus(MILLI);
    must_be(store.marked_at(owner, last).await, mark, sentence);
    // For a store with a clock of its own.
    tokio::time::sleep(SHORT).await;
    must_be(store.marked(owner).await, mark, sentence);
}

pub(super) async fn a_sweep_leaves_marks_that_stand<S: SessionStore>(store: &Checked<S>) {
    const LIMIT: usize = 100;

    let (ann, bob, at) = (fresh_owner(), fresh_owner(), now());
    let (until, past) = (in_an_hour(), now().plus(SHORT));
    store.mark(ann, at, until).await;
    store.insert(&fresh_key(), &of(ann, expired(0))).await;
    store.mark(bob, at, past).await;
    let bobs = store.stored_of(bob).await;
    tokio::time::sleep(SHORT).await;

    while store.remove_expired(LIMIT).await >= LIMIT {}
    let sentence = "`remove_expired` must leave the marks alone that are not past";
    must_be(
        store.marked_at(ann, until.minus(MILLI)).await,
        Some(at),
        sentence,
    );
    let sentence = "`remove_expired` must leave the sessions alone of an owner whose mark is past";
    store
        .must_own(bob, std::slice::from_ref(&bobs), sentence)
        .await;
    store.remove(&bobs.0).await;
}

/// Sessions that begin and end, of an owner who is marked meanwhile.
pub(super) async fn marks_and_sessions_leave_each_other_alone<S: SessionStore>(store: &Checked<S>) {
    const SESSIONS: &str = "`mark` must leave the sessions of the owner alone";
    const MARK: &str = "what happens to its sessions must leave the mark of an owner alone";

    let (owner, at) = (fresh_owner(), in_an_hour());
    let (from, before) = store.stored_of(owner).await;
    store.mark(owner, at, in_an_hour()).await;
    let listed = (from, before.clone());
    store
        .must_own(owner, std::slice::from_ref(&listed), SESSIONS)
        .await;
    store.must_hold(&from, &before, SESSIONS).await;
    must_be(store.marked(owner).await, Some(at), MARK);

    let (to, after) = (fresh_key(), of(owner, live(1)));
    store
        .rotate(&from, before.record.revision, &to, &after)
        .await;
    must_be(store.marked(owner).await, Some(at), MARK);

    let nobodys: Stored = live(2);
    store.replace(&to, after.record.revision, &nobodys).await;
    must_be(store.marked(owner).await, Some(at), MARK);

    let (last, _) = store.stored_of(owner).await;
    store.remove(&last).await;
    must_be(store.marked(owner).await, Some(at), MARK);
    store.remove(&to).await;
}
