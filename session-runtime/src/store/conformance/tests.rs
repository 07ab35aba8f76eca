mod wrong;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::wrong::{Fault, Wrong};
use super::conformance;

const SENTENCES: [(Fault, &str); 36] = [
    (
        Fault::KeysRunTogether,
        "`insert` must store a session under a key that was never used",
    ),
    (
        Fault::LoadShowsTheDead,
        "`load` must not find a session that was inserted with its end past",
    ),
    (
        Fault::LoadIgnoresTime,
        "`load` must not find a session once `now` has reached its end",
    ),
    (
        Fault::LoadForgetsIdle,
        "a record with an idle timeout of its own must come back",
    ),
    (
        Fault::LoadSortsMembers,
        "a record with members out of order must come back",
    ),
    (
        Fault::LoadRoundsTheEndUp,
        "`expires` must come back as it was given",
    ),
    (
        Fault::LoadMixesAnswers,
        "a `load` after a dropped Load must answer for its own key",
    ),
    (
        Fault::InsertOverwrites,
        "`insert` under the key of a live session must answer `false`",
    ),
    (
        Fault::InsertOverwritesInSilence,
        "`insert` must not overwrite a live session",
    ),
    (
        Fault::InsertSparesTheDead,
        "`insert` must store over a session that was inserted with its end past",
    ),
    (
        Fault::InsertTakesTwoSteps,
        "of many `insert`s of one key one must answer `true`",
    ),
    (
        Fault::ReplaceCreates,
        "`replace` of a session that was never there must answer `Gone`",
    ),
    (
        Fault::ReplaceIgnoresTheRevision,
        "`replace` of a revision that no longer stands must answer `Conflict`",
    ),
    (
        Fault::ReplaceKeepsTheEnd,
        "`load` must not find a session that was replaced by one whose end is past",
    ),
    (
        Fault::ReplaceShowsTheWrongConflict,
        "`replace` of a revision that no longer stands must answer `Conflict` with what stands",
    ),
    (
        Fault::ReplaceTakesTwoSteps,
        "of many `replace`s of one revision one must answer `Done`",
    ),
    (
        Fault::ReplaceRevives,
        "no `replace`, `touch` or `rotate` may bring back what was removed",
    ),
    (
        Fault::RotateCreates,
        "`rotate` of a session that was never there must answer `Gone`",
    ),
    (
        Fault::RotateLeavesTheOldKey,
        "`load` must not find a session that was rotated away",
    ),
    (
        Fault::RotateIgnoresTheRevision,
        "`rotate` of a revision that no longer stands must answer `Conflict`",
    ),
    (
        Fault::RotateOverwrites,
        "`rotate` to the key of a live session must answer the error `Taken`",
    ),
    (
        Fault::RotateTakesTwoSteps,
        "of many `rotate`s of one session one must answer `Done`",
    ),
    (
        Fault::RotateStopsHalfway,
        "a dropped Rotate must have happened or not",
    ),
    (
        Fault::TouchCreates,
        "`touch` of a session that was never there must answer `false`",
    ),
    (
        Fault::TouchRevives,
        "`touch` of a session that was inserted with its end past must answer `false`",
    ),
    (
        Fault::TouchIgnoresTheRevision,
        "`touch` of a revision that no longer stands must answer `true` and do nothing",
    ),
    (
        Fault::TouchOnlyExtends,
        "`load` must not find a session that was touched to an end that is past",
    ),
    (
        Fault::TouchEndsTheEndless,
        "a session that never ends must be live",
    ),
    (
        Fault::TouchChangesTheRevision,
        "`touch` must leave the record and its revision alone",
    ),
    (
        Fault::TouchTakesTwoSteps,
        "of updates that `replace` acknowledged none may be lost",
    ),
    (
        Fault::RemoveDoesNothing,
        "`load` must not find a session that was removed",
    ),
    (
        Fault::RemoveAlwaysSaysTrue,
        "`remove` of a session that was never there must answer `false`",
    ),
    (
        Fault::RemoveKeepsItsLock,
        "the store must still answer after a dropped Remove",
    ),
    (
        Fault::SweepTakesTheLiving,
        "`remove_expired` must leave live sessions alone",
    ),
    (
        Fault::SweepIgnoresTheLimit,
        "`remove_expired` must free up to about its limit",
    ),
    (
        Fault::SweepNeverEnds,
        "`remove_expired` must answer less than its limit once nothing is left",
    ),
];

#[test]
fn each_broken_rule_is_named() {
    for (fault, sentence) in SENTENCES {
        let broken = catch_unwind(AssertUnwindSafe(|| check(fault)));
        let panic = broken.expect_err(&format!("{fault:?} passes the suite"));
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said
            .or(panic.downcast_ref::<&str>().copied())
            .unwrap_or_default();
        assert!(
            said.contains(sentence),
            "{fault:?} must be called {sentence}, not {said}"
        );
    }
}

#[test]
fn a_store_without_a_fault_passes() {
    check(Fault::None);
}

fn check(fault: Fault) {
    crate::trace::install();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(conformance(Wrong::new(fault)));
}
