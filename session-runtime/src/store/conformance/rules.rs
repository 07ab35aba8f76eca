//! The rules that one caller alone can see broken.

use std::time::Duration;

use super::super::{SessionStore, StoreError, Stored, Swap};
use super::kit::{
    Checked, an_hour_ago, conflicts_with, expired, fresh_key, in_an_hour, live, now, record, same,
    same_end,
};
use crate::expiry::Timestamp;
use crate::id::StoreKey;
use crate::record::{Record, Revision};

pub(super) async fn records_come_back_as_given<S: SessionStore>(store: &Checked<S>) {
    for (what, record) in samples() {
        let session = Stored {
            record,
            expires: in_an_hour(),
        };
        let inserted = fresh_key();
        store.insert(&inserted, &session).await;

        let (replaced, before) = store.stored().await;
        store.replace(&replaced, before.record.revision, &session).await;

        let (from, before) = store.stored().await;
        let rotated = fresh_key();
        store.rotate(&from, before.record.revision, &rotated, &session).await;

        for (how, key) in [("insert", inserted), ("replace", replaced), ("rotate", rotated)] {
            let found = store.load(&key).await.map(|found| found.record);
            assert!(
                found.as_ref() == Some(&session.record),
                "a record with {what} must come back as `{how}` was given it, its JSON byte for \
                 byte: expected {:?}, found {found:?}",
                session.record
            );
        }
    }
}

fn samples() -> Vec<(&'static str, Record)> {
    let long = format!(r#"{{"blob":{{"text":"{}"}}}}"#, "x".repeat(64 * 1024));
    let idle = |idle| Record {
        idle: Some(idle),
        ..record("{}")
    };
    vec![
        ("no field", record("{}")),
        ("a field", record(r#"{"visits":{"page_views":1}}"#)),
        (
            "plain values at the top",
            record(r#"{"list":[1,"2",[]],"n":3,"nothing":null,"s":"x","visits":{"n":1},"yes":true}"#),
        ),
        (
            "empty objects",
            record(r#"{"cart":{},"visits":{"list":[],"map":{},"text":""}}"#),
        ),
        (
            "nested values",
            record(r#"{"cart":{"items":[{"id":7,"tags":["a",{"b":[[],{}]}]},null]}}"#),
        ),
        (
            "members out of order",
            record(r#"{"z":{"b":1,"a":2},"a":{"longer":1,"b":2,"a":3}}"#),
        ),
        (
            "text of many scripts, escapes and a NUL",
            record(r#"{"näme ☃":{"ключ":"日本語 👩‍👩‍👧 \u0000 \u00e9 \" \\ \/ \n ' %s ; --"}}"#),
        ),
        (
            "numbers at their limits",
            record(
                r#"{"n":{"max":18446744073709551615,"min":-9223372036854775808,"more":123456789012345678901234567890,"float":1.7976931348623157e308,"tiny":5e-324,"zero":-0.0,"ten":1e1}}"#,
            ),
        ),
        ("64 KiB of text", record(&long)),
        ("an idle timeout of its own", idle(Duration::from_millis(1))),
        (
            "a long idle timeout of its own",
            idle(Duration::from_millis((1 << 53) - 1)),
        ),
        (
            "the greatest revision",
            Record {
                revision: Revision::from_u64(u64::MAX),
                ..record("{}")
            },
        ),
        (
            "the revision 0, made in 1970",
            Record {
                revision: Revision::from_u64(0),
                created: Timestamp::from_millis(0),
                ..record("{}")
            },
        ),
    ]
}

pub(super) async fn ends_come_back_as_given<S: SessionStore>(store: &Checked<S>) {
    for millis in [60_001, 86_400_999, 30 * 86_400_000] {
        let session = Stored {
            expires: now().plus(Duration::from_millis(millis)),
            ..live(0)
        };
        let key = fresh_key();
        store.insert(&key, &session).await;
        store
            .expect(
                &key,
                &session,
                "`expires` must come back as it was given, or less than a second sooner",
            )
            .await;
    }
    let (key, _) = store.stored().await;
    store.touch(&key, Timestamp::MAX).await;
    let found = store.load(&key).await;
    let in_a_century = now().plus(Duration::from_secs(100 * 365 * 86_400));
    assert!(
        found.is_some_and(|found| found.expires > in_a_century),
        "a session that never ends must be live, and its end more than a century away"
    );
}

pub(super) async fn keys_are_told_apart<S: SessionStore>(store: &Checked<S>) {
    let sessions: Vec<_> = (0..64).map(|number| (fresh_key(), live(number))).collect();
    for (key, session) in &sessions {
        store.insert(key, session).await;
    }
    let (gone, kept) = sessions.split_at(16);
    for (key, _) in gone {
        store.remove(key).await;
    }
    for (key, session) in kept {
        store
            .expect(key, session, "what happens to one session must leave the others alone")
            .await;
    }
}

/// Every operation on every kind of dead session: each must find nothing, and leave nothing.
pub(super) async fn the_dead_look_absent<S: SessionStore>(store: &Checked<S>) {
    for (how, key, last) in the_dead(store).await {
        let back = |operation| format!("{operation} must not bring back a session that {how}");
        let new = live(1);
        store
            .expect_none(&key, &format!("`load` must not find a session that {how}"))
            .await;

        let swap = store.replace(&key, last, &new).await;
        assert_eq!(swap, Swap::Gone, "`replace` of a session that {how} must answer `Gone`");
        store.expect_none(&key, &back("`replace`")).await;

        let to = fresh_key();
        let swap = store.rotate(&key, last, &to, &new).await;
        assert_eq!(swap, Swap::Gone, "`rotate` of a session that {how} must answer `Gone`");
        store.expect_none(&key, &back("`rotate`")).await;
        store.expect_none(&to, &back("`rotate`")).await;

        let touched = store.touch(&key, in_an_hour()).await;
        assert!(!touched, "`touch` of a session that {how} must answer `false`");
        store.expect_none(&key, &back("`touch`")).await;

        let removed = store.remove(&key).await;
        assert!(!removed, "`remove` of a session that {how} must answer `false`");
        store.expect_none(&key, &back("`remove`")).await;
    }
    for (how, key, _) in the_dead(store).await {
        let (new, sentence) = (live(1), format!("`insert` must store over a session that {how}"));
        assert!(store.insert(&key, &new).await, "{sentence}");
        store.expect(&key, &new, &sentence).await;
    }
}

/// Keys without a live session, how each came to be so, and the revision that it had last.
async fn the_dead<S: SessionStore>(store: &Checked<S>) -> Vec<(&'static str, StoreKey, Revision)> {
    let mut dead = vec![("was never there", fresh_key(), Revision::from_u64(1))];

    let (key, session) = (fresh_key(), expired(0));
    assert!(
        store.insert(&key, &session).await,
        "`insert` must answer `true` for a session whose end is past: its key was free"
    );
    dead.push(("was inserted with its end past", key, session.record.revision));

    let (key, session) = store.stored().await;
    store.touch(&key, an_hour_ago()).await;
    dead.push(("was touched to an end that is past", key, session.record.revision));

    let (key, session) = store.stored().await;
    let ended = expired(1);
    store.replace(&key, session.record.revision, &ended).await;
    dead.push(("was replaced by one whose end is past", key, ended.record.revision));

    let (key, session) = store.stored().await;
    store.remove(&key).await;
    dead.push(("was removed", key, session.record.revision));

    let (key, session) = store.stored().await;
    let swap = store.rotate(&key, session.record.revision, &fresh_key(), &live(1)).await;
    assert_eq!(swap, Swap::Done, "`rotate` to a free key must answer `Done`");
    dead.push(("was rotated away", key, session.record.revision));

    let (from, session) = store.stored().await;
    let (key, ended) = (fresh_key(), expired(1));
    store.rotate(&from, session.record.revision, &key, &ended).await;
    dead.push(("was rotated with its end past", key, ended.record.revision));
    dead
}

pub(super) async fn sessions_end_as_time_passes<S: SessionStore>(store: &Checked<S>) {
    let (key, end) = (fresh_key(), now().plus(Duration::from_millis(50)));
    let session = Stored {
        expires: end,
        ..live(0)
    };
    store.insert(&key, &session).await;
    // A store that goes by the `now` it is told answers at once, one with a clock of its own a bit later.
    for _ in 0..100 {
        let found = store.0.load(&key, end.max(now())).await;
        if found.is_ok_and(|found| found.is_none()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("`load` must not find a session once `now` has reached its end");
}

pub(super) async fn insert_never_overwrites<S: SessionStore>(store: &Checked<S>) {
    let (key, session) = store.stored().await;
    let inserted = store.insert(&key, &live(1)).await;
    assert!(!inserted, "`insert` under the key of a live session must answer `false`");
    store
        .expect(&key, &session, "`insert` must not overwrite a live session")
        .await;
}

pub(super) async fn replace_compares_the_revision<S: SessionStore>(store: &Checked<S>) {
    let (key, first) = store.stored().await;
    let second = Stored {
        expires: now().plus(Duration::from_secs(600)),
        ..live(1)
    };
    let swap = store.replace(&key, first.record.revision, &second).await;
    assert_eq!(swap, Swap::Done, "`replace` of the revision that stands must answer `Done`");
    store
        .expect(&key, &second, "`replace` must store the record and the end that it is given")
        .await;

    let swap = store.replace(&key, first.record.revision, &live(2)).await;
    assert!(
        conflicts_with(&swap, &second),
        "`replace` of a revision that no longer stands must answer `Conflict` with what stands: \
         expected {second:?}, found {swap:?}"
    );
    store
        .expect(&key, &second, "`replace` must not overwrite another revision")
        .await;
}

pub(super) async fn rotate_moves_a_session<S: SessionStore>(store: &Checked<S>) {
    let (from, before) = store.stored().await;
    let (to, after) = (fresh_key(), live(1));
    let swap = store.rotate(&from, before.record.revision, &to, &after).await;
    assert_eq!(swap, Swap::Done, "`rotate` of the revision that stands must answer `Done`");
    store
        .expect_none(&from, "`rotate` must remove the session from its old key")
        .await;
    store
        .expect(&to, &after, "`rotate` must store what it is given under the new key")
        .await;

    let again = fresh_key();
    let swap = store.rotate(&from, before.record.revision, &again, &live(2)).await;
    assert_eq!(swap, Swap::Gone, "a second `rotate` of one session must answer `Gone`");
    store
        .expect_none(&again, "a second `rotate` of one session must store nothing")
        .await;
    store
        .expect(&to, &after, "a second `rotate` of one session must leave the first alone")
        .await;
}

pub(super) async fn rotate_compares_the_revision<S: SessionStore>(store: &Checked<S>) {
    let (from, first) = store.stored().await;
    let (to, second) = (fresh_key(), live(1));
    store.replace(&from, first.record.revision, &second).await;
    let swap = store.rotate(&from, first.record.revision, &to, &live(2)).await;
    assert!(
        conflicts_with(&swap, &second),
        "`rotate` of a revision that no longer stands must answer `Conflict` with what stands: \
         expected {second:?}, found {swap:?}"
    );
    store
        .expect(&from, &second, "a `rotate` that conflicts must leave the old key alone")
        .await;
    store
        .expect_none(&to, "a `rotate` that conflicts must store nothing")
        .await;
}

pub(super) async fn rotate_needs_a_free_key<S: SessionStore>(store: &Checked<S>) {
    let ((from, session), (to, other)) = (store.stored().await, store.stored().await);
    let revision = session.record.revision;
    let swap = store.0.rotate(&from, revision, &to, &live(1), now()).await;
    assert!(
        matches!(swap, Err(StoreError::Taken)),
        "`rotate` to the key of a live session must answer the error `Taken`: found {swap:?}"
    );
    store
        .expect(&from, &session, "a `rotate` to a taken key must leave the old key alone")
        .await;
    store
        .expect(&to, &other, "`rotate` must not overwrite a live session")
        .await;

    let (ended, new) = (fresh_key(), live(1));
    store.insert(&ended, &expired(0)).await;
    let swap = store.rotate(&from, revision, &ended, &new).await;
    let sentence = "`rotate` must store over a session that has expired";
    assert_eq!(swap, Swap::Done, "{sentence}");
    store.expect(&ended, &new, sentence).await;
}

pub(super) async fn touch_moves_the_end_alone<S: SessionStore>(store: &Checked<S>) {
    let (key, session) = store.stored().await;
    for seconds in [7200, 600] {
        let end = now().plus(Duration::from_secs(seconds));
        let touched = store.touch(&key, end).await;
        assert!(touched, "`touch` of a live session must answer `true`");
        let Some(found) = store.load(&key).await else {
            panic!("`touch` must keep the session");
        };
        assert!(
            same_end(found.expires, end),
            "`touch` must move the end, later or sooner: expected {end:?}, found {found:?}"
        );
        assert_eq!(
            found.record, session.record,
            "`touch` must leave the record and its revision alone"
        );
    }
    let swap = store.replace(&key, session.record.revision, &live(1)).await;
    assert_eq!(swap, Swap::Done, "`touch` must leave the revision as it was for `replace`");
}

pub(super) async fn remove_is_final<S: SessionStore>(store: &Checked<S>) {
    let (key, _) = store.stored().await;
    let removed = store.remove(&key).await;
    assert!(removed, "`remove` of a live session must answer `true`");
    store
        .expect_none(&key, "`remove` must remove the session")
        .await;
}

pub(super) async fn a_sweep_frees_the_dead_alone<S: SessionStore>(store: &Checked<S>) {
    const DEAD: usize = 200;
    const LIMIT: usize = 10;

    let live: Vec<_> = (0..DEAD as u64).map(|number| (fresh_key(), live(number))).collect();
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
            calls < 1_000_000,
            "`remove_expired` must answer less than its limit once nothing is left"
        );
    }
    for (key, session) in &live {
        let found = store.load(key).await;
        assert!(
            found.is_some_and(|found| same(&found, session)),
            "`remove_expired` must leave live sessions alone"
        );
    }
}
