//! The invariants on `MemoryStore`. `SESSILE_FULL=1 cargo test --release --test invariants_memory --
//! --nocapture` runs them in full and prints the numbers reached.

mod invariants;
mod support;

use std::sync::Arc;
use std::time::Duration;

use invariants::{cancel, lost_updates};
use invariants::wrapped::{InRandomSteps, InSteps, Regardless, Taking, Wrapped};
use sessile::MemoryStore;

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost() {
    lost_updates::no_update_is_lost(memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_on_a_store_that_takes_its_time() {
    let millisecond = Taking(Duration::from_millis(1));
    lost_updates::no_update_is_lost(Wrapped(memory(), millisecond)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_on_a_store_of_many_steps() {
    lost_updates::no_update_is_lost(Wrapped(memory(), InRandomSteps)).await;
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
    let check = cancel::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(memory(), InSteps).await;
}

#[tokio::test]
async fn a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing() {
    let check = cancel::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(memory(), Regardless).await;
}

#[tokio::test]
async fn a_panic_leaves_the_session_as_it_was() {
    cancel::a_panic_leaves_the_session_as_it_was(memory()).await;
}
