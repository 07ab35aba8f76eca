//! The rules about one live session and one caller.

use std::time::Duration;

use super::super::{SessionStore, StoreError, Stored, Swap};
use super::kit::{
    Checked, conflicts_with, expired, fresh_key, in_an_hour, live, must_be, now, same_end,
};
use crate::record::Revision;

pub(super) async fn insert_never_overwrites<S: SessionStore>(store: &Checked<S>) {
    let (key, session) = store.stored().await;
    let inserted = store.insert(&key, &live(1)).await;
    must_be(
        inserted,
        false,
        "`insert` under the key of a live session must answer `false`",
    );
    store
        .must_hold(&key, &session, "`insert` must not overwrite a live session")
        .await;
}

pub(super) async fn replace_compares_the_revision<S: SessionStore>(store: &Checked<S>) {
    let (key, first) = store.stored().await;
    let second = Stored {
        expires: now().plus(Duration::from_mins(10)),
        ..live(1)
    };
    let swap = store.replace(&key, first.record.revision, &second).await;
    must_be(
        swap,
        Swap::Done,
        "`replace` of the revision that stands must answer `Done`",
    );
    let sentence = "`replace` must store the record and the end that it is given";
    store.must_hold(&key, &second, sentence).await;

    let swap = store.replace(&key, first.record.revision, &live(2)).await;
    must_conflict("replace", &swap, &second);
    store
        .must_hold(
            &key,
            &second,
            "`replace` must not overwrite another revision",
        )
        .await;
}

pub(super) async fn rotate_moves_a_session<S: SessionStore>(store: &Checked<S>) {
    let (from, before) = store.stored().await;
    let (to, after) = (fresh_key(), live(1));
    let swap = store
        .rotate(&from, before.record.revision, &to, &after)
        .await;
    must_be(
        swap,
        Swap::Done,
        "`rotate` of the revision that stands must answer `Done`",
    );
    store
        .must_be_free(&from, "`rotate` must remove the session from its old key")
        .await;
    let sentence = "`rotate` must store what it is given under the new key";
    store.must_hold(&to, &after, sentence).await;

    let again = fresh_key();
    let swap = store
        .rotate(&from, before.record.revision, &again, &live(2))
        .await;
    must_be(
        swap,
        Swap::Gone,
        "a second `rotate` of one session must answer `Gone`",
    );
    store
        .must_be_free(
            &again,
            "a second `rotate` of one session must store nothing",
        )
        .await;
    let sentence = "a second `rotate` of one session must leave the first alone";
    store.must_hold(&to, &after, sentence).await;
}

pub(super) async fn rotate_compares_the_revision<S: SessionStore>(store: &Checked<S>) {
    let (from, first) = store.stored().await;
    let (to, second) = (fresh_key(), live(1));
    store.replace(&from, first.record.revision, &second).await;
    let swap = store
        .rotate(&from, first.record.revision, &to, &live(2))
        .await;
    must_conflict("rotate", &swap, &second);
    let sentence = "a `rotate` that conflicts must leave the old key alone";
    store.must_hold(&from, &second, sentence).await;
    store
        .must_be_free(&to, "a `rotate` that conflicts must store nothing")
        .await;
}

pub(super) async fn rotate_needs_a_free_key<S: SessionStore>(store: &Checked<S>) {
    let ((from, session), (to, other)) = (store.stored().await, store.stored().await);
    let revision = session.record.revision;
    let swap = store.0.rotate(from, revision, to, live(1), now()).await;
    assert!(
        matches!(swap, Err(StoreError::Taken)),
        "`rotate` to the key of a live session must answer the error `Taken`: found {swap:?}"
    );
    let sentence = "a `rotate` to a taken key must leave the old key alone";
    store.must_hold(&from, &session, sentence).await;
    store
        .must_hold(&to, &other, "`rotate` must not overwrite a live session")
        .await;

    let (ended, new) = (fresh_key(), live(1));
    store.insert(&ended, &expired(0)).await;
    let sentence = "`rotate` must store over a session that has expired";
    must_be(
        store.rotate(&from, revision, &ended, &new).await,
        Swap::Done,
        sentence,
    );
    store.must_hold(&ended, &new, sentence).await;
}

pub(super) async fn touch_gives_way_to_a_write<S: SessionStore>(store: &Checked<S>) {
    let (key, session) = store.stored().await;
    let new = live(1);
    store.replace(&key, session.record.revision, &new).await;
    let sooner = now().plus(Duration::from_mins(1));
    let touched = store
        .touch_revision(&key, session.record.revision, sooner)
        .await;
    let sentence = "`touch` of a revision that no longer stands must answer `true` and do nothing";
    must_be(touched, true, sentence);
    store.must_hold(&key, &new, sentence).await;
}

pub(super) async fn touch_moves_the_end_alone<S: SessionStore>(store: &Checked<S>) {
    let (key, session) = store.stored().await;
    let record = &session.record;
    for end in [
        in_an_hour().plus(Duration::from_hours(1)),
        now().plus(Duration::from_mins(10)),
    ] {
        let touched = store.touch(&key, end).await;
        must_be(
            touched,
            true,
            "`touch` of a live session must answer `true`",
        );
        let found = store
            .load(&key)
            .await
            .expect("`touch` must keep the session");
        let sentence = "`touch` must leave the record and its revision alone";
        must_be(&found.record, record, sentence);
        assert!(
            same_end(found.expires, end),
            "`touch` must move the end, later or sooner: expected {end:?}, found {found:?}"
        );
    }
    let swap = store.replace(&key, record.revision, &live(1)).await;
    must_be(
        swap,
        Swap::Done,
        "`touch` must leave the revision as it was for `replace`",
    );
}

pub(super) async fn remove_is_final<S: SessionStore>(store: &Checked<S>) {
    let (key, _) = store.stored().await;
    must_be(
        store.remove(&key).await,
        true,
        "`remove` of a live session must answer `true`",
    );
    store
        .must_be_free(&key, "`remove` must remove the session")
        .await;
}

pub(super) async fn a_successor_is_where_a_session_has_gone<S: SessionStore>(store: &Checked<S>) {
    let (from, session) = store.stored().await;
    let (to, new) = (fresh_key(), live(1));
    store
        .must_have_no_successor(&fresh_key(), "that was never there")
        .await;
    store.must_have_no_successor(&from, "that is live").await;

    let another = Revision::from_u64(!session.record.revision.as_u64());
    store.rotate(&from, another, &to, &new).await;
    let whose = "that a `rotate` has left alone";
    store.must_have_no_successor(&from, whose).await;

    store
        .rotate(&from, session.record.revision, &to, &new)
        .await;
    let successor = store.successor(&from).await;
    assert!(
        successor.is_none_or(|successor| successor == to),
        "`successor` of a session that was rotated must answer its new key, or nothing: \
         expected {to:?}, found {successor:?}"
    );
    let whose = "that another one was rotated to";
    store.must_have_no_successor(&to, whose).await;
    store.remove(&to).await;
    store.must_have_no_successor(&to, "that was removed").await;

    store.insert(&from, &live(2)).await;
    let whose = "that was stored where another one was rotated away";
    store.must_have_no_successor(&from, whose).await;
}

fn must_conflict(call: &str, swap: &Swap, stands: &Stored) {
    assert!(
        conflicts_with(swap, stands),
        "`{call}` of a revision that no longer stands must answer `Conflict` with what stands: \
         expected {stands:?}, found {swap:?}"
    );
}
