//! The invariants on `MemoryStore`. `SESSILE_FULL=1 cargo test --release --test invariants_memory --
//! --nocapture` runs them in full and prints the numbers reached.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod invariants;
mod servers;
mod support;

use std::sync::Arc;
use std::time::Duration;

use invariants::wrapped::{InRandomSteps, InSteps, Regardless, Taking, Wrapped};
use invariants::{
    cancel, cut_short, doubt, expiry, floods, held, history, late, limits, lost_updates, panics,
    privileges, revocation, size, storm, strict_ids,
};
use sessile::MemoryStore;

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost() {
    let rounds = size(1, 8500);
    lost_updates::no_update_is_lost(memory(), 1, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_by_four_servers_on_a_store_that_takes_its_time() {
    let millisecond = Taking(Duration::from_millis(1));
    let store = Wrapped(memory(), millisecond);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_by_four_servers_on_a_store_of_many_steps() {
    let store = Wrapped(memory(), InRandomSteps);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test]
async fn two_fields_changed_by_two_requests_are_both_kept() {
    lost_updates::two_fields_changed_by_two_requests_are_both_kept(memory()).await;
}

#[tokio::test]
async fn two_live_views_of_one_request_merge() {
    lost_updates::two_live_views_of_one_request_merge(memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_taken_twice() {
    lost_updates::no_ticket_is_taken_twice(Wrapped(memory(), InRandomSteps)).await;
}

#[tokio::test]
async fn two_first_requests_are_two_sessions() {
    lost_updates::two_first_requests_are_two_sessions(memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_by_handle_are_not_lost_either() {
    lost_updates::updates_by_handle_are_not_lost_either(Wrapped(memory(), InRandomSteps)).await;
}

#[tokio::test]
async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(memory(), InSteps).await;
}

#[tokio::test]
async fn a_request_dropped_while_its_calls_go_on_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(memory(), Regardless).await;
}

#[tokio::test]
async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(memory(), InSteps).await;
}

#[tokio::test]
async fn a_first_visit_dropped_while_its_calls_go_on_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(memory(), Regardless).await;
}

#[tokio::test]
async fn a_save_cut_short_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(memory(), InSteps).await;
}

#[tokio::test]
async fn a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(memory(), Regardless).await;
}

#[tokio::test]
async fn a_save_cut_short_twice_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(memory(), InSteps).await;
}

#[tokio::test]
async fn a_save_cut_short_twice_that_arrives_later_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(memory(), Regardless).await;
}

#[tokio::test]
async fn a_sign_in_cut_short_is_not_let_in_unchecked() {
    cut_short::a_sign_in_cut_short_is_not_let_in_unchecked(memory(), InSteps).await;
}

#[tokio::test]
async fn a_sign_in_cut_short_that_arrives_later_is_not_let_in_unchecked() {
    cut_short::a_sign_in_cut_short_is_not_let_in_unchecked(memory(), Regardless).await;
}

#[tokio::test]
async fn a_privilege_that_differs_means_another_id() {
    let programs = size(1000, 100_000);
    privileges::a_privilege_that_differs_means_another_id(memory(), programs).await;
}

#[tokio::test]
async fn a_panic_leaves_the_session_as_it_was() {
    panics::a_panic_leaves_the_session_as_it_was(memory()).await;
}

#[tokio::test]
async fn a_panic_that_is_made_up_for_changes_nothing() {
    panics::a_panic_that_is_made_up_for_changes_nothing(memory()).await;
}

#[tokio::test]
async fn nothing_brings_an_ended_session_back() {
    held::nothing_brings_an_ended_session_back(memory(), true).await;
}

#[tokio::test]
async fn nothing_brings_a_revoked_session_back() {
    held::nothing_brings_a_revoked_session_back(memory()).await;
}

#[tokio::test]
async fn a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done() {
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(memory(), InSteps).await;
}

#[tokio::test]
async fn a_sign_in_or_a_revocation_dropped_while_its_calls_go_on_leaves_nothing_half_done() {
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(memory(), Regardless).await;
}

#[tokio::test]
async fn a_first_insert_that_arrives_last_brings_nothing_back() {
    late::a_first_insert_that_arrives_last_brings_nothing_back(memory()).await;
}

#[tokio::test]
async fn a_first_visit_is_held_by_nobody_elses_end() {
    held::a_first_visit_is_held_by_nobody_elses_end(memory()).await;
}

#[tokio::test(start_paused = true)]
async fn every_history_is_explained() {
    let histories = size(2000, 1_000_000);
    history::every_history_is_explained(memory(), InRandomSteps, histories, true).await;
}

#[tokio::test(start_paused = true)]
async fn every_history_is_explained_where_calls_outlive_their_callers() {
    let histories = size(1000, 1_000_000);
    history::every_history_is_explained(memory(), Regardless, histories, true).await;
}

#[tokio::test(start_paused = true)]
async fn no_sign_in_that_began_before_a_revocation_survives_it() {
    let rounds = size(100, 100_000);
    revocation::no_sign_in_that_began_before_survives(memory(), InRandomSteps, rounds).await;
}

#[tokio::test(start_paused = true)]
async fn no_sign_in_survives_a_revocation_whose_calls_outlive_their_callers() {
    let rounds = size(100, 100_000);
    revocation::no_sign_in_that_began_before_survives(memory(), Regardless, rounds).await;
}

#[tokio::test(start_paused = true)]
async fn of_many_who_sign_in_at_once_the_last_ones_stay() {
    let rounds = size(50, 10_000);
    limits::the_last_to_sign_in_stay(memory(), InRandomSteps, rounds).await;
    limits::the_last_to_sign_in_stay(memory(), Regardless, rounds).await;
}

#[tokio::test(start_paused = true)]
async fn of_many_who_sign_in_at_once_never_too_many_are_let_in() {
    let rounds = size(50, 10_000);
    limits::never_more_are_let_in_than_allowed(memory(), InRandomSteps, rounds).await;
    limits::never_more_are_let_in_than_allowed(memory(), Regardless, rounds).await;
}

#[tokio::test]
async fn no_planted_id_is_adopted() {
    strict_ids::no_planted_id_is_adopted(memory(), size(10_000, 1_000_000), true).await;
}

#[tokio::test]
async fn sessions_live_as_long_as_the_model() {
    let steps = size(10_000, 1_000_000);
    expiry::sessions_live_as_long_as_the_model(memory(), steps).await;
}

#[tokio::test(start_paused = true)]
async fn cancelled_requests_touch_nothing_else() {
    let cancels = size(10_000, 1_000_000);
    storm::cancelled_requests_touch_nothing_else(memory(), InRandomSteps, cancels).await;
}

#[tokio::test(start_paused = true)]
async fn cancelled_requests_whose_calls_go_on_touch_nothing_else() {
    let cancels = size(10_000, 1_000_000);
    storm::cancelled_requests_touch_nothing_else(memory(), Regardless, cancels).await;
}

#[tokio::test]
async fn anonymous_reads_make_no_record() {
    let store = memory();
    floods::anonymous_reads_make_no_record(Arc::clone(&store), size(10_000, 1_000_000)).await;
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_flood_takes_nobodys_place() {
    // A sixteenth is kept for sessions with an owner.
    let store = Arc::new(MemoryStore::new().max_sessions(1600));
    let flood = size(10_000, 1_000_000);
    floods::a_flood_takes_nobodys_place(Arc::clone(&store), 1500, 100, flood).await;
    assert_eq!(store.len(), 1500);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_stored_once() {
    doubt::a_write_whose_answer_was_lost_is_stored_once(memory()).await;
}

#[tokio::test]
async fn a_write_in_doubt_is_never_repeated() {
    doubt::a_write_in_doubt_is_never_repeated(memory()).await;
}

#[tokio::test]
async fn what_was_denied_is_not_stored_later() {
    doubt::what_was_denied_is_not_stored_later(memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_one_request_do_not_lose_the_session() {
    let rounds = size(100, 100_000);
    doubt::tasks_of_one_request_do_not_lose_the_session(memory(), rounds).await;
}

#[tokio::test]
async fn a_late_touch_does_not_undo_a_new_idle_timeout() {
    doubt::a_late_touch_does_not_undo_a_new_idle_timeout(memory()).await;
}
