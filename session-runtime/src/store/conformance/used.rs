//! The rules about a load that may touch.

use std::time::Duration;

use super::super::{SessionStore, Stored, Swap};
use super::kit::{
    Checked, expired, fresh_key, fresh_owner, in_an_hour, live, must_be, now, of, same_end,
};
use crate::expiry::{Lifetime, Timestamp};

const MINUTE: Duration = Duration::from_mins(1);

/// A session that was stored to live for an hour lives for three if it is used.
const THREE_HOURS: Lifetime = Lifetime {
    idle: Duration::from_hours(3),
    absolute: Duration::from_hours(300),
    until: Timestamp::MAX,
};

pub(super) async fn a_touch_that_is_due_may_come_with_the_load<S: SessionStore>(
    store: &Checked<S>,
) {
    let soon = now().plus(90 * MINUTE);
    for (lifetime, why) in [
        (THREE_HOURS, "later"),
        (
            Lifetime {
                idle: 2 * MINUTE,
                ..THREE_HOURS
            },
            "sooner",
        ),
        (
            Lifetime {
                absolute: 2 * THREE_HOURS.idle / 3,
                ..THREE_HOURS
            },
            "the absolute end",
        ),
        (
            Lifetime {
                absolute: Duration::MAX,
                idle: Duration::MAX,
                until: soon,
            },
            "an end for all",
        ),
        (
            Lifetime {
                absolute: Duration::MAX,
                idle: Duration::MAX,
                ..THREE_HOURS
            },
            "never",
        ),
    ] {
        let (key, session) = store.stored().await;
        let at = now();
        let found = store.load_and_touch(&key, lifetime, at).await;
        let found = found.expect("`load_and_touch` must find a live session");
        let sentence = "`load_and_touch` must leave the record and its revision alone";
        must_be(&found.record, &session.record, sentence);
        let due = lifetime.due(session.record.created, session.expires, at);
        let due = due.expect("a touch is due");
        // Beyond a century any instant will do.
        let century = at.plus(Duration::from_hours(100 * 365 * 24));
        let is_moved = same_end(found.expires, due) || (due > century && found.expires > century);
        assert!(
            is_moved || same_end(found.expires, session.expires),
            "`load_and_touch` must move the end to where it is due, or not at all ({why}): \
             expected {due:?} or {:?}, found {:?}",
            session.expires,
            found.expires
        );
        let sentence = "what `load_and_touch` answers must stand from then on";
        store.must_hold(&key, &found, sentence).await;
        let swap = store.replace(&key, session.record.revision, &live(1)).await;
        let sentence = "`load_and_touch` must leave the revision as it was for `replace`";
        must_be(swap, Swap::Done, sentence);
        store.remove(&key).await;
    }
}

pub(super) async fn what_is_not_due_stays_as_it_is<S: SessionStore>(store: &Checked<S>) {
    let hour = Lifetime {
        idle: 60 * MINUTE,
        ..THREE_HOURS
    };
    let past = Timestamp::from_millis(1);
    for lifetime in [
        hour,
        // Less than a tenth, and less than a minute.
        Lifetime {
            idle: 60 * MINUTE + MINUTE / 2,
            ..THREE_HOURS
        },
        // Over, which is for the layer to say.
        Lifetime {
            until: past,
            ..hour
        },
        Lifetime {
            absolute: Duration::ZERO,
            ..hour
        },
    ] {
        let (key, session) = store.stored().await;
        let found = store.load_and_touch(&key, lifetime, now()).await;
        let as_stored = found.is_some_and(|found| {
            found.record == session.record && same_end(found.expires, session.expires)
        });
        assert!(
            as_stored,
            "`load_and_touch` must leave a session alone that is not due for a touch: {lifetime:?}"
        );
        let sentence = "`load_and_touch` must move no end that is not due";
        store.must_hold(&key, &session, sentence).await;
        store.remove(&key).await;
    }
}

pub(super) async fn an_idle_timeout_of_its_own_is_left_alone<S: SessionStore>(store: &Checked<S>) {
    for owned in [false, true] {
        let mut session = live(1);
        session.record.idle = Some(10 * MINUTE);
        if owned {
            session = of(fresh_owner(), session);
        }
        let key = store.stored_as(&session).await;
        let found = store.load_and_touch(&key, THREE_HOURS, now()).await;
        let sentence =
            "`load_and_touch` must leave a session alone that has an idle timeout of its own";
        let found = found.expect(sentence);
        must_be(&found.record, &session.record, sentence);
        store.must_hold(&key, &session, sentence).await;

        // As a `replace` gives it one, or takes it.
        let plain = live(2);
        store.replace(&key, session.record.revision, &plain).await;
        store.replace(&key, plain.record.revision, &session).await;
        store.load_and_touch(&key, THREE_HOURS, now()).await;
        store.must_hold(&key, &session, sentence).await;
        store.remove(&key).await;
    }
}

pub(super) async fn the_dead_are_not_used<S: SessionStore>(store: &Checked<S>) {
    let ended = fresh_key();
    store.insert(&ended, &expired(0)).await;
    for key in [fresh_key(), ended] {
        let found = store.load_and_touch(&key, THREE_HOURS, now()).await;
        must_be(found, None, "`load_and_touch` must find only live sessions");
        store
            .must_be_free(&key, "`load_and_touch` must revive no session")
            .await;
    }
    let (key, _) = store.stored().await;
    let found = store.load_and_touch(&key, THREE_HOURS, in_an_hour()).await;
    must_be(
        found,
        None,
        "`load_and_touch` must find no session once `now` has reached its end",
    );
}

/// Used over and over, far beyond the time for which it was listed.
pub(super) async fn what_is_used_stays_listed<S: SessionStore>(store: &Checked<S>) {
    let owner = fresh_owner();
    let (key, _) = store.stored_of(owner).await;
    let mut at = now();
    for _ in 0..40 {
        at = at.plus(20 * MINUTE);
        let found = store.load_and_touch(&key, THREE_HOURS, at).await;
        let session = found.expect("`load_and_touch` must find a session that is used");
        if let Some(due) = THREE_HOURS.due(session.record.created, session.expires, at) {
            let touched = store.0.touch(key, session.record.revision, due, at).await;
            assert!(
                matches!(touched, Ok(true)),
                "`touch` must find a session that is used"
            );
        }
        let theirs = store.owned_by_at(owner, at).await;
        let is_listed = matches!(&theirs[..], [(found, Stored { record, .. })]
            if *found == key && *record == session.record);
        assert!(
            is_listed,
            "`owned_by` must find a session that is used: {theirs:?}"
        );
    }
    store.remove(&key).await;
}
