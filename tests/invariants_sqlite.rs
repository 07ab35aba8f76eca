//! The invariants on `SqliteStore`, over a file for each test. `SESSILE_FULL=1 cargo test --release
//! --features sqlite --test invariants_sqlite -- --nocapture` runs them in full and prints the numbers
//! reached.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod invariants;
mod servers;
mod support;

use std::time::Duration;

use invariants::schedule::settle_by;
use invariants::wrapped::{InRandomSteps, InSteps, Regardless, Taking, Wrapped};
use invariants::{
    cancel, cut_short, doubt, expiry, floods, held, history, late, limits, lost_updates, panics,
    privileges, revocation, size, storm, strict_ids,
};
use servers::Folder;
use sessile::SqliteStore;
use sessile::deadpool_sqlite::{Config, Hook, HookError, Runtime, Status};

/// A store in a file of its own, as an application opens one.
async fn sqlite() -> SqliteStore {
    let folder = Folder::new("invariants");
    let store = SqliteStore::open(folder.path().join("app.db")).await;
    let store = store.unwrap();
    let watched = store.clone();
    settle(folder, move || Some(watched.status()));
    store
}

/// A store over a pool that does not wait for the disk, where there are tens of thousands of writes: no
/// machine ends here.
async fn hasty() -> SqliteStore {
    let folder = Folder::new("invariants");
    let begin = Hook::async_fn(|connection, _| {
        Box::pin(async {
            let sql = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF";
            let begun = connection.interact(move |connection| connection.execute_batch(sql));
            begun.await.unwrap().map_err(HookError::Backend)
        })
    });
    let config = Config::new(folder.path().join("app.db"));
    let pool = config.builder(Runtime::Tokio1).unwrap().post_create(begin);
    let pool = pool.build().unwrap();
    // The pool itself has to go before its runtime does.
    let watched = pool.weak();
    settle(folder, move || Some(watched.upgrade()?.status()));
    let store = SqliteStore::new(pool);
    store.migrate().await.unwrap();
    store
}

/// Has the harness wait until no connection is at work: a call whose caller has gone goes on until its
/// statement is done. The folder is removed when the test is.
fn settle(folder: Folder, status: impl Fn() -> Option<Status> + 'static) {
    settle_by(move || {
        let _kept = &folder;
        status().is_some_and(|status| status.available < status.size)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost() {
    let rounds = size(1, 850);
    lost_updates::no_update_is_lost(sqlite().await, 1, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_by_four_servers_on_a_store_that_takes_its_time() {
    let millisecond = Taking(Duration::from_millis(1));
    let store = Wrapped(sqlite().await, millisecond);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_by_four_servers_on_a_store_of_many_steps() {
    let store = Wrapped(sqlite().await, InRandomSteps);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test]
async fn two_fields_changed_by_two_requests_are_both_kept() {
    lost_updates::two_fields_changed_by_two_requests_are_both_kept(sqlite().await).await;
}

#[tokio::test]
async fn two_live_views_of_one_request_merge() {
    lost_updates::two_live_views_of_one_request_merge(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_taken_twice() {
    lost_updates::no_ticket_is_taken_twice(Wrapped(sqlite().await, InRandomSteps)).await;
}

#[tokio::test]
async fn two_first_requests_are_two_sessions() {
    lost_updates::two_first_requests_are_two_sessions(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_by_handle_are_not_lost_either() {
    lost_updates::updates_by_handle_are_not_lost_either(Wrapped(sqlite().await, InRandomSteps))
        .await;
}

#[tokio::test]
async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(sqlite().await, InSteps).await;
}

#[tokio::test]
async fn a_request_dropped_while_its_calls_go_on_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(sqlite().await, Regardless).await;
}

#[tokio::test]
async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(sqlite().await, InSteps).await;
}

#[tokio::test]
async fn a_first_visit_dropped_while_its_calls_go_on_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(sqlite().await, Regardless).await;
}

#[tokio::test]
async fn a_save_cut_short_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(sqlite().await, InSteps).await;
}

#[tokio::test]
async fn a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(sqlite().await, Regardless).await;
}

#[tokio::test]
async fn a_save_cut_short_twice_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(sqlite().await, InSteps).await;
}

#[tokio::test]
async fn a_save_cut_short_twice_that_arrives_later_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(sqlite().await, Regardless).await;
}

#[tokio::test]
async fn a_panic_leaves_the_session_as_it_was() {
    panics::a_panic_leaves_the_session_as_it_was(sqlite().await).await;
}

#[tokio::test]
async fn a_panic_that_is_made_up_for_changes_nothing() {
    panics::a_panic_that_is_made_up_for_changes_nothing(sqlite().await).await;
}

#[tokio::test]
async fn nothing_brings_an_ended_session_back() {
    held::nothing_brings_an_ended_session_back(sqlite().await, true).await;
}

#[tokio::test]
async fn a_first_visit_is_held_by_nobody_elses_end() {
    held::a_first_visit_is_held_by_nobody_elses_end(sqlite().await).await;
}

#[tokio::test]
async fn every_history_is_explained() {
    let histories = size(2000, 25_000);
    history::every_history_is_explained(hasty().await, InRandomSteps, histories, true).await;
}

#[tokio::test]
async fn every_history_is_explained_where_calls_outlive_their_callers() {
    let histories = size(1000, 25_000);
    history::every_history_is_explained(hasty().await, Regardless, histories, true).await;
}

#[tokio::test]
async fn no_planted_id_is_adopted() {
    strict_ids::no_planted_id_is_adopted(hasty().await, size(10_000, 100_000), true).await;
}

#[tokio::test]
async fn sessions_live_as_long_as_the_model() {
    let steps = size(10_000, 100_000);
    expiry::sessions_live_as_long_as_the_model(hasty().await, steps).await;
}

#[tokio::test]
async fn cancelled_requests_touch_nothing_else() {
    let cancels = size(10_000, 100_000);
    storm::cancelled_requests_touch_nothing_else(hasty().await, InRandomSteps, cancels).await;
}

#[tokio::test]
async fn cancelled_requests_whose_calls_go_on_touch_nothing_else() {
    let cancels = size(10_000, 100_000);
    storm::cancelled_requests_touch_nothing_else(hasty().await, Regardless, cancels).await;
}

#[tokio::test]
async fn anonymous_reads_make_no_record() {
    let store = sqlite().await;
    floods::anonymous_reads_make_no_record(store, size(10_000, 100_000)).await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_stored_once() {
    doubt::a_write_whose_answer_was_lost_is_stored_once(sqlite().await).await;
}

#[tokio::test]
async fn a_write_in_doubt_is_never_repeated() {
    doubt::a_write_in_doubt_is_never_repeated(sqlite().await).await;
}

#[tokio::test]
async fn what_was_denied_is_not_stored_later() {
    doubt::what_was_denied_is_not_stored_later(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_one_request_do_not_lose_the_session() {
    let rounds = size(200, 100_000);
    doubt::tasks_of_one_request_do_not_lose_the_session(sqlite().await, rounds).await;
}

#[tokio::test]
async fn a_late_touch_does_not_undo_a_new_idle_timeout() {
    doubt::a_late_touch_does_not_undo_a_new_idle_timeout(sqlite().await).await;
}

#[tokio::test]
async fn a_privilege_that_differs_means_another_id() {
    let programs = size(200, 10_000);
    privileges::a_privilege_that_differs_means_another_id(sqlite().await, programs).await;
}

#[tokio::test]
async fn no_sign_in_that_began_before_a_revocation_survives_it() {
    let rounds = size(10, 1000);
    let check = revocation::no_sign_in_that_began_before_survives;
    check(sqlite().await, InRandomSteps, rounds).await;
}

#[tokio::test]
async fn no_sign_in_survives_a_revocation_whose_calls_outlive_their_callers() {
    let rounds = size(10, 1000);
    let check = revocation::no_sign_in_that_began_before_survives;
    check(sqlite().await, Regardless, rounds).await;
}

#[tokio::test]
async fn of_many_who_sign_in_at_once_the_last_ones_stay() {
    let rounds = size(5, 500);
    limits::the_last_to_sign_in_stay(sqlite().await, InRandomSteps, rounds).await;
}

#[tokio::test]
async fn of_many_who_sign_in_at_once_never_too_many_are_let_in() {
    let rounds = size(25, 500);
    limits::never_more_are_let_in_than_allowed(sqlite().await, InRandomSteps, rounds).await;
}

#[tokio::test]
async fn a_first_insert_that_arrives_last_brings_nothing_back() {
    late::a_first_insert_that_arrives_last_brings_nothing_back(sqlite().await).await;
}

#[tokio::test]
async fn nothing_brings_a_revoked_session_back() {
    held::nothing_brings_a_revoked_session_back(sqlite().await).await;
}

#[tokio::test]
async fn a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done() {
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(sqlite().await, InSteps).await;
}
