//! The sizes of every run, and those of `SESSILE_FULL=1`.

use super::operation::{ALL, ANSWERED, APPENDS, ENDS, EXITS, FEW, SIGN_INS, WRITES};
use super::world::Start;
use super::{Bounds, full, holds};
use crate::protocol::AtMaxSessions;

/// What every run visits at most: minutes with optimisation, seconds without.
const EVERY_RUN: usize = if cfg!(debug_assertions) {
    20_000
} else {
    1_500_000
};

fn two(name: &'static str, start: Start) -> Bounds {
    Bounds {
        name,
        start,
        programs: vec![ALL, ALL],
        exits: EXITS,
        length: if full() { 3 } else { 1 },
        faults: if full() { 2 } else { 1 },
        limit: None,
        expires: false,
        most: if full() { usize::MAX } else { EVERY_RUN },
    }
}

#[test]
fn two_requests_on_a_session_keep_every_promise() {
    holds(&[
        two("an anonymous session", Start::Anonymous),
        two("a user's session", Start::SignedIn),
        two("a first visit", Start::FirstVisit),
        two("two devices", Start::Devices),
        two("two tokens", Start::TwoTokens),
    ]);
}

#[test]
fn longer_programs_of_two_requests_keep_every_promise() {
    let bounds = |name, start, operations| Bounds {
        programs: vec![operations, operations],
        length: if full() { 3 } else { 2 },
        ..two(name, start)
    };
    holds(&[
        Bounds {
            programs: vec![APPENDS, &APPENDS[..1]],
            length: 3,
            ..two("appends around a save", Start::Anonymous)
        },
        bounds("writes", Start::Anonymous, WRITES),
        bounds("sign-ins", Start::SignedIn, SIGN_INS),
        bounds("ends of two tokens", Start::TwoTokens, ENDS),
    ]);
}

#[test]
fn a_limit_on_sessions_keeps_every_promise() {
    let bounds = |name, limit| Bounds {
        programs: vec![SIGN_INS, SIGN_INS],
        limit: Some(limit),
        ..two(name, Start::FirstVisit)
    };
    holds(&[
        bounds("the oldest is evicted", AtMaxSessions::EvictOldest),
        bounds("the new one is refused", AtMaxSessions::RefuseNew),
    ]);
}

#[test]
fn sessions_that_expire_keep_every_promise() {
    holds(&[Bounds {
        programs: vec![WRITES, WRITES],
        expires: true,
        ..two("time passes", Start::Anonymous)
    }]);
}

#[test]
fn three_requests_keep_every_promise() {
    let bounds = |name, start| Bounds {
        programs: vec![FEW, FEW, FEW],
        exits: if full() { EXITS } else { ANSWERED },
        length: if full() { 2 } else { 1 },
        faults: 1,
        ..two(name, start)
    };
    holds(&[
        bounds("three on one session", Start::SignedIn),
        bounds("three devices", Start::Devices),
    ]);
}
