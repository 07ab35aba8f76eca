//! The rules about what comes back: the record, its end, under its own key.

use std::time::Duration;

use super::super::{SessionStore, Stored};
use super::kit::{Checked, fresh_key, fresh_owner, in_an_hour, live, must_be, now, record, since};
use crate::expiry::Timestamp;
use crate::record::{OwnerKey, Record, Revision};

const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);

pub(super) async fn keys_are_told_apart<S: SessionStore>(store: &Checked<S>) {
    let sessions: Vec<_> = (0..64).map(|number| (fresh_key(), live(number))).collect();
    for (key, session) in &sessions {
        let sentence = "`insert` must store a session under a key that was never used";
        must_be(store.insert(key, session).await, true, sentence);
    }
    let (gone, kept) = sessions.split_at(16);
    for (key, _) in gone {
        store.remove(key).await;
    }
    for (key, session) in kept {
        let found = store.load(key).await.map(|found| found.record.revision);
        let sentence = "what happens to one session must leave the others alone";
        must_be(found, Some(session.record.revision), sentence);
    }
}

pub(super) async fn records_come_back_as_given<S: SessionStore>(store: &Checked<S>) {
    for (what, record) in samples() {
        let expires = in_an_hour();
        let session = Stored { record, expires };
        let (inserted, rotated) = (fresh_key(), fresh_key());
        let ((replaced, old), (from, other)) = (store.stored().await, store.stored().await);

        store.insert(&inserted, &session).await;
        store
            .replace(&replaced, old.record.revision, &session)
            .await;
        store
            .rotate(&from, other.record.revision, &rotated, &session)
            .await;

        for (how, key) in [
            ("insert", inserted),
            ("replace", replaced),
            ("rotate", rotated),
        ] {
            let found = store.load(&key).await.map(|found| found.record);
            let given = Some(session.record.clone());
            let sentence = format!(
                "a record with {what} must come back as `{how}` was given it, its JSON byte for byte"
            );
            must_be(found, given, &sentence);
        }
    }
}

pub(super) async fn ends_come_back_as_given<S: SessionStore>(store: &Checked<S>) {
    const AS_GIVEN: &str = "`expires` must come back as it was given, or less than a second sooner";

    for millis in [60_001, 86_400_999, 30 * 86_400_000] {
        let session = Stored {
            expires: now().plus(Duration::from_millis(millis)),
            ..live(0)
        };
        let key = fresh_key();
        store.insert(&key, &session).await;
        store.must_hold(&key, &session, AS_GIVEN).await;
    }
    let (key, _) = store.stored().await;
    store.touch(&key, Timestamp::MAX).await;
    let end = store.load(&key).await.map(|found| found.expires);
    assert!(
        end > Some(now().plus(CENTURY)),
        "a session that never ends must be live, its end more than a century ahead: found {end:?}"
    );
}

fn samples() -> Vec<(&'static str, Record)> {
    let long = format!(r#"{{"blob":{{"text":"{}"}}}}"#, "x".repeat(64 * 1024));
    let idle = |idle| Record {
        idle: Some(idle),
        ..record("{}")
    };
    let owned = |since_then| since(since_then, fresh_owner(), live(0)).record;
    let (_, several) = several_owners();
    vec![
        ("an owner", owned(now())),
        ("an owner since 1970", owned(Timestamp::from_millis(0))),
        ("owners in several places", several.record),
        ("no field", record("{}")),
        ("a field", record(r#"{"visits":{"page_views":1}}"#)),
        (
            "plain values at the top",
            record(
                r#"{"list":[1,"2",[]],"n":3,"nothing":null,"s":"x","visits":{"n":1},"yes":true}"#,
            ),
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

/// A session of three owners: in places of many scripts, since the first and the last instant.
pub(super) fn several_owners() -> ([OwnerKey; 3], Stored) {
    let places = [
        "account",
        "näme ☃",
        "日本語 \0 \u{e9} \" \\ / \n ' %s ; -- : {}",
    ];
    let since = [0, now().as_millis(), (1 << 53) - 1].map(Timestamp::from_millis);
    let owners = std::array::from_fn(|_| fresh_owner());
    let mut session = live(0);
    for (owner, (place, since)) in owners.into_iter().zip(places.into_iter().zip(since)) {
        let owners = &session.record.owners;
        session.record.owners = owners.with(place, owner, since);
    }
    (owners, session)
}
