//! The invariants on `PostgresStore`, over a server of its own. `SESSILE_FULL=1 cargo test --release
//! --features postgres --test invariants_postgres -- --ignored --nocapture` runs them in full and
//! prints the numbers reached.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "invariants/faults/mod.rs"]
mod faults;
mod invariants;
mod servers;
#[path = "invariants_postgres/site.rs"]
mod site;
mod support;

use std::time::Duration;

use invariants::schedule::settle_by;
use invariants::wrapped::{InRandomSteps, InSteps, Regardless, Taking, Wrapped};
use invariants::{
    cancel, cut_short, doubt, expiry, floods, held, history, late, limits, lost_updates, panics,
    privileges, revocation, size, storm, strict_ids,
};
use servers::postgres::Postgres;
use sessile::PostgresStore;
use site::OwnServer;

/// A store with tables of its own. A call whose caller has gone keeps its connection until the server
/// has answered.
async fn postgres() -> PostgresStore {
    let store = Postgres::shared().store().await;
    let pool = store.pool().clone();
    settle_by(move || pool.status().available < pool.status().size);
    store
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_update_is_lost() {
    let rounds = size(1, 850);
    lost_updates::no_update_is_lost(postgres().await, 1, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_update_is_lost_by_four_servers_on_a_store_that_takes_its_time() {
    let millisecond = Taking(Duration::from_millis(1));
    let store = Wrapped(postgres().await, millisecond);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_update_is_lost_by_four_servers_on_a_store_of_many_steps() {
    let store = Wrapped(postgres().await, InRandomSteps);
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn two_fields_changed_by_two_requests_are_both_kept() {
    lost_updates::two_fields_changed_by_two_requests_are_both_kept(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn two_live_views_of_one_request_merge() {
    lost_updates::two_live_views_of_one_request_merge(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_ticket_is_taken_twice() {
    lost_updates::no_ticket_is_taken_twice(Wrapped(postgres().await, InRandomSteps)).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn two_first_requests_are_two_sessions() {
    lost_updates::two_first_requests_are_two_sessions(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn updates_by_handle_are_not_lost_either() {
    lost_updates::updates_by_handle_are_not_lost_either(Wrapped(postgres().await, InRandomSteps))
        .await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(postgres().await, InSteps).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_request_dropped_while_its_calls_go_on_leaves_the_old_state_or_the_new() {
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(postgres().await, Regardless).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(postgres().await, InSteps).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_first_visit_dropped_while_its_calls_go_on_stores_one_session_or_none() {
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(postgres().await, Regardless).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_save_cut_short_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(postgres().await, InSteps).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing() {
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(postgres().await, Regardless).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_save_cut_short_twice_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(postgres().await, InSteps).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_save_cut_short_twice_that_arrives_later_doubles_nothing() {
    cut_short::a_save_cut_short_twice_doubles_nothing(postgres().await, Regardless).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_panic_leaves_the_session_as_it_was() {
    panics::a_panic_leaves_the_session_as_it_was(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_panic_that_is_made_up_for_changes_nothing() {
    panics::a_panic_that_is_made_up_for_changes_nothing(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn nothing_brings_an_ended_session_back() {
    held::nothing_brings_an_ended_session_back(postgres().await, true).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_first_visit_is_held_by_nobody_elses_end() {
    held::a_first_visit_is_held_by_nobody_elses_end(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn every_history_is_explained() {
    let histories = size(2000, 25_000);
    history::every_history_is_explained(postgres().await, InRandomSteps, histories, true).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn every_history_is_explained_where_calls_outlive_their_callers() {
    let histories = size(1000, 25_000);
    history::every_history_is_explained(postgres().await, Regardless, histories, true).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_planted_id_is_adopted() {
    strict_ids::no_planted_id_is_adopted(postgres().await, size(10_000, 100_000), true).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn sessions_live_as_long_as_the_model() {
    let steps = size(10_000, 100_000);
    expiry::sessions_live_as_long_as_the_model(postgres().await, steps).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn cancelled_requests_touch_nothing_else() {
    let cancels = size(10_000, 100_000);
    storm::cancelled_requests_touch_nothing_else(postgres().await, InRandomSteps, cancels).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn cancelled_requests_whose_calls_go_on_touch_nothing_else() {
    let cancels = size(10_000, 100_000);
    storm::cancelled_requests_touch_nothing_else(postgres().await, Regardless, cancels).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn anonymous_reads_make_no_record() {
    let store = postgres().await;
    floods::anonymous_reads_make_no_record(store, size(10_000, 100_000)).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_write_whose_answer_was_lost_is_stored_once() {
    doubt::a_write_whose_answer_was_lost_is_stored_once(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_write_in_doubt_is_never_repeated() {
    doubt::a_write_in_doubt_is_never_repeated(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn what_was_denied_is_not_stored_later() {
    doubt::what_was_denied_is_not_stored_later(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn tasks_of_one_request_do_not_lose_the_session() {
    let rounds = size(200, 100_000);
    doubt::tasks_of_one_request_do_not_lose_the_session(postgres().await, rounds).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_late_touch_does_not_undo_a_new_idle_timeout() {
    doubt::a_late_touch_does_not_undo_a_new_idle_timeout(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_privilege_that_differs_means_another_id() {
    let programs = size(200, 10_000);
    privileges::a_privilege_that_differs_means_another_id(postgres().await, programs).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_sign_in_that_began_before_a_revocation_survives_it() {
    let rounds = size(10, 1000);
    let check = revocation::no_sign_in_that_began_before_survives;
    check(postgres().await, InRandomSteps, rounds).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_sign_in_survives_a_revocation_whose_calls_outlive_their_callers() {
    let rounds = size(10, 1000);
    let check = revocation::no_sign_in_that_began_before_survives;
    check(postgres().await, Regardless, rounds).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn of_many_who_sign_in_at_once_the_last_ones_stay() {
    let rounds = size(5, 500);
    limits::the_last_to_sign_in_stay(postgres().await, InRandomSteps, rounds).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn of_many_who_sign_in_at_once_never_too_many_are_let_in() {
    let rounds = size(25, 500);
    limits::never_more_are_let_in_than_allowed(postgres().await, InRandomSteps, rounds).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_first_insert_that_arrives_last_brings_nothing_back() {
    late::a_first_insert_that_arrives_last_brings_nothing_back(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn nothing_brings_a_revoked_session_back() {
    held::nothing_brings_a_revoked_session_back(postgres().await).await;
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done() {
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(postgres().await, InSteps).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_store_that_fails_is_an_error_in_time() {
    faults::a_store_that_fails_is_an_error_in_time(vec![OwnServer::start().await]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn an_operation_whose_answer_was_lost_is_done_once() {
    faults::lost::an_operation_whose_answer_was_lost_is_done_once(OwnServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_request_goes_on_after_an_answer_was_lost() {
    faults::lost::a_request_goes_on_after_an_answer_was_lost(OwnServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn the_next_request_finds_what_was_lost() {
    faults::lost::the_next_request_finds_what_was_lost(OwnServer::start().await).await;
}
