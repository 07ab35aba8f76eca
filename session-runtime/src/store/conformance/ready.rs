//! The rule about answers that are at hand.

use super::super::{Answer, SessionStore};
use super::kit::{Checked, fresh_key, live, now};
use crate::expiry::{Lifetime, Timestamp};

/// Of the operations that a request may ask for.
pub(super) fn what_is_at_hand_is_answered_at_once<S: SessionStore>(store: &Checked<S>) {
    let store = &*store.0;
    if !store.answers_at_once() {
        return;
    }
    let (key, to, now, mut session) = (fresh_key(), fresh_key(), now(), live(0));
    must_be_at_hand("insert", store.insert(key, session.clone(), now));
    must_be_at_hand("load", store.load(key, now));
    let lifetime = Lifetime {
        idle: std::time::Duration::MAX,
        absolute: std::time::Duration::MAX,
        until: Timestamp::MAX,
    };
    must_be_at_hand("load_and_touch", store.load_and_touch(key, lifetime, now));
    let mut stands = session.record.revision;
    must_be_at_hand("touch", store.touch(key, stands, session.expires, now));
    session = live(1);
    must_be_at_hand("replace", store.replace(key, stands, session.clone(), now));
    stands = session.record.revision;
    session = live(2);
    must_be_at_hand("rotate", store.rotate(key, stands, to, session, now));
    must_be_at_hand("remove", store.remove(to, now));
}

fn must_be_at_hand<T>(operation: &str, answer: Answer<'_, T>) {
    assert!(
        answer.at_once().is_ok(),
        "`{operation}` must have its answer at hand where `answers_at_once` says so"
    );
}
