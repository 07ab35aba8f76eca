//! Which sentence each wrong store must hear.

use super::wrong::Fault;

pub(super) const SENTENCES: [(Fault, &str); 109] = [
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
        Fault::LoadForgetsSince,
        "a record with an owner must come back",
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
        Fault::UseShowsTheDead,
        "`load_and_touch` must find only live sessions",
    ),
    (
        Fault::UseIgnoresTime,
        "`load_and_touch` must find no session once `now` has reached its end",
    ),
    (
        Fault::UseAlwaysTouches,
        "`load_and_touch` must leave a session alone that is not due for a touch",
    ),
    (
        Fault::UseTouchesOwnIdle,
        "`load_and_touch` must leave a session alone that has an idle timeout of its own",
    ),
    (
        Fault::UseIgnoresTheAbsolute,
        "`load_and_touch` must move the end to where it is due, or not at all (the absolute end)",
    ),
    (
        Fault::UseOnlySaysSo,
        "what `load_and_touch` answers must stand from then on",
    ),
    (
        Fault::UseSaysNothing,
        "what `load_and_touch` answers must stand from then on",
    ),
    (
        Fault::UseChangesTheRevision,
        "what `load_and_touch` answers must stand from then on",
    ),
    (
        Fault::UseEndsTheOld,
        "`load_and_touch` must leave a session alone that is not due for a touch",
    ),
    (
        Fault::UseUnlists,
        "`owned_by` must find a session that is used",
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
        Fault::SuccessorOfAnybody,
        "`successor` of a session that was never there must answer nothing",
    ),
    (
        Fault::SuccessorOfTheLiving,
        "`successor` of a session that is live must answer nothing",
    ),
    (
        Fault::SuccessorOfTheRemoved,
        "`successor` of a session that was removed must answer nothing",
    ),
    (
        Fault::SuccessorIsNotedTooSoon,
        "`successor` of a session that a `rotate` has left alone must answer nothing",
    ),
    (
        Fault::SuccessorIsAnother,
        "`successor` of a session that was rotated must answer its new key, or nothing",
    ),
    (
        Fault::SuccessorOutlivesAnInsert,
        "`successor` of a session that was stored where another one was rotated away must answer nothing",
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
    (
        Fault::IndexForgetsInsert,
        "`owned_by` must find a session by each of its owners from the moment that `insert` has answered",
    ),
    (
        Fault::IndexForgetsReplace,
        "`owned_by` must find a session by each of its owners from the moment that `replace` has answered",
    ),
    (
        Fault::IndexForgetsRotate,
        "`owned_by` must find a session by each of its owners from the moment that `rotate` has answered",
    ),
    (
        Fault::IndexIsLate,
        "`owned_by` must find a session by each of its owners from the moment that `insert` has answered",
    ),
    (
        Fault::IndexKnowsOneOwner,
        "`owned_by` must find a session by each of its owners from the moment that `insert` has answered",
    ),
    (
        Fault::IndexKeepsTheRemoved,
        "`owned_by` must not find a session that was removed",
    ),
    (
        Fault::IndexKeepsTheRotated,
        "`owned_by` must not find a session that was rotated away",
    ),
    (
        Fault::IndexKeepsSince,
        "`owned_by` must answer since when the session is the owner's now",
    ),
    (
        Fault::IndexKeepsTheEnd,
        "`owned_by` must answer the end to which `touch` has moved it",
    ),
    (
        Fault::IndexTakesTwoSteps,
        "`owned_by` must find exactly what `load` finds, however many wrote at once",
    ),
    (
        Fault::InsertKeepsFormerOwners,
        "`insert` over a session that was inserted with its end past must take it from its owner",
    ),
    (
        Fault::InsertDeniedLists,
        "a `insert` that does nothing must leave a session to its owner",
    ),
    (
        Fault::InsertListsLast,
        "a dropped Insert must have happened or not, to the owners",
    ),
    (
        Fault::ReplaceKeepsFormerOwners,
        "`owned_by` must not find a session once `replace` has taken it from its owner",
    ),
    (
        Fault::ReplaceDeniedLists,
        "a `replace` that does nothing must leave a session to its owner",
    ),
    (
        Fault::ReplaceUnlistsForAMoment,
        "`owned_by` must find a session of the owner's while it is written",
    ),
    (
        Fault::ReplaceUnlistsLate,
        "`owned_by` must find a session that goes to and fro for its last owner",
    ),
    (
        Fault::RotateKeepsFormerOwners,
        "`owned_by` must not find a session once `rotate` has taken it from its owner",
    ),
    (
        Fault::RotateDeniedLists,
        "a `rotate` that does nothing must leave a session to its owner",
    ),
    (
        Fault::RotateListsLast,
        "a dropped Rotate must have happened or not, to the owners",
    ),
    (
        Fault::TouchUnlists,
        "`owned_by` must find a session that was touched",
    ),
    (
        Fault::RemoveUnlistsAll,
        "`remove` of one session must leave its owner the others",
    ),
    (
        Fault::SweepUnlistsAll,
        "`remove_expired` must leave an owner the live sessions",
    ),
    (
        Fault::OwnedByShowsTheAnonymous,
        "`owned_by` must not find a session that was never there",
    ),
    (
        Fault::OwnedByShowsTheExpired,
        "`owned_by` must not find a session that was inserted with its end past",
    ),
    (
        Fault::OwnedByIgnoresTime,
        "`owned_by` must not find a session once `now` has reached its end",
    ),
    (
        Fault::OwnedByMixesOwners,
        "`owned_by` must find nobody else's sessions",
    ),
    (
        Fault::OwnedByForgetsSince,
        "`owned_by` must answer a session as `load` does",
    ),
    (Fault::OwnedByRepeats, "`owned_by` must find a session once"),
    (
        Fault::OwnedByEndsAtAPage,
        "`owned_by` must find every session of an owner, however many they are",
    ),
    (
        Fault::OwnedByPrunesTheUnborn,
        "`owned_by` must find exactly what `load` finds, however many wrote at once",
    ),
    (
        Fault::OwnedByJoinsAnAnswer,
        "who stores a session and then finds no `marked` must be found by who asks `mark` and then `owned_by`",
    ),
    (
        Fault::OwnedByKeepsItsLock,
        "the store must still answer after a dropped OwnedBy",
    ),
    (
        Fault::MarkAnswersSeconds,
        "`mark` must answer `at`, or a millisecond after the mark that stands, whichever is later",
    ),
    (
        Fault::MarkGoesBack,
        "`mark` must answer `at`, or a millisecond after the mark that stands, whichever is later",
    ),
    (
        Fault::MarkIgnoresSince,
        "`mark` must answer `None` if the mark that stands is not before `since`",
    ),
    (
        Fault::MarkForbidsNobodyAtTheMark,
        "`mark` must answer `None` if the mark that stands is not before `since`",
    ),
    (
        Fault::MarkForbidsEverybody,
        "`mark` must set one if the mark that stands is before `since`",
    ),
    (
        Fault::MarkIsSetThoughForbidden,
        "`mark` must do nothing where it answers `None`",
    ),
    (
        Fault::MarkStaysTheSame,
        "`mark` must answer `at`, or a millisecond after the mark that stands, whichever is later",
    ),
    (
        Fault::MarkOnlyCounts,
        "`mark` must answer `at`, or a millisecond after the mark that stands, whichever is later",
    ),
    (
        Fault::MarkIsLate,
        "`marked` must answer the mark from the moment that `mark` has answered",
    ),
    (Fault::MarkIsShared, "a mark must be its owner's alone"),
    (
        Fault::MarkEndsAMillisecondSooner,
        "a mark must stand until `until`, not a millisecond less",
    ),
    (
        Fault::MarkNeverEnds,
        "a mark must be past once `now` has reached its `until`",
    ),
    (
        Fault::MarkOutlivesItself,
        "`mark` must answer `at` if the mark that stood is past",
    ),
    (
        Fault::MarkForgetsALongerUntil,
        "a mark must be kept for as long as the one that stood",
    ),
    (
        Fault::MarkKeepsTheFirstUntil,
        "a mark must be kept longer than the one that stood if it is asked so",
    ),
    (
        Fault::MarkHidesSessions,
        "`mark` must leave the sessions of the owner alone",
    ),
    (
        Fault::MarkTakesTwoSteps,
        "of many `mark`s at once each must be a millisecond after another",
    ),
    (
        Fault::MarkStopsHalfway,
        "a dropped Mark must have happened or not, to the owners of the session and their mark",
    ),
    (
        Fault::MarkedNeverAnswersNone,
        "`marked` must answer `None` for an owner whom nobody has marked",
    ),
    (
        Fault::MarkedJoinsAnAnswer,
        "who stores a session and then finds no `marked` must be found by who asks `mark` and then `owned_by`",
    ),
    (
        Fault::RemoveForgetsTheMark,
        "what happens to its sessions must leave the mark of an owner alone",
    ),
    (
        Fault::SweepForgetsMarks,
        "`remove_expired` must leave the marks alone that are not past",
    ),
    (
        Fault::SweepForgetsTheOwnersOfPastMarks,
        "`remove_expired` must leave the sessions alone of an owner whose mark is past",
    ),
];
