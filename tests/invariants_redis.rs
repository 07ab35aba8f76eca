//! The invariants on `RedisStore`, on a real server each. `SESSILE_FULL=1 cargo test --release
//! --all-features --test invariants_redis -- --ignored --nocapture` runs them in full and prints the
//! numbers reached.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "invariants/faults/mod.rs"]
mod faults;
mod invariants;
mod servers;
#[path = "invariants_redis/sites.rs"]
mod sites;
mod support;

use invariants::wrapped::{InRandomSteps, InSteps, Regardless};
use invariants::{
    cancel, cut_short, doubt, expiry, floods, held, history, late, limits, lost_updates, panics,
    privileges, revocation, size, storm, strict_ids,
};
use servers::redis::{Cluster, Redis};
use sessile::RedisStore;
use sites::{ClusterBehindProxy, OneServer};

fn open(redis: &Redis) -> RedisStore {
    RedisStore::open(&redis.url()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_update_is_lost() {
    let redis = Redis::start();
    lost_updates::no_update_is_lost(open(&redis), 1, size(1, 8500)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_update_is_lost_by_four_servers() {
    let redis = Redis::start();
    lost_updates::no_update_is_lost(open(&redis), 4, size(1, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_update_is_lost_by_four_servers_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    lost_updates::no_update_is_lost(store, 4, size(1, 100)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn two_fields_changed_by_two_requests_are_both_kept() {
    let redis = Redis::start();
    lost_updates::two_fields_changed_by_two_requests_are_both_kept(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn two_live_views_of_one_request_merge() {
    let redis = Redis::start();
    lost_updates::two_live_views_of_one_request_merge(open(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_ticket_is_taken_twice() {
    let redis = Redis::start();
    lost_updates::no_ticket_is_taken_twice(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn two_first_requests_are_two_sessions() {
    let redis = Redis::start();
    lost_updates::two_first_requests_are_two_sessions(open(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn updates_by_handle_are_not_lost_either() {
    let redis = Redis::start();
    lost_updates::updates_by_handle_are_not_lost_either(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new() {
    let redis = Redis::start();
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(open(&redis), InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_dropped_while_its_calls_go_on_leaves_the_old_state_or_the_new() {
    let redis = Redis::start();
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(open(&redis), Regardless).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_dropped_at_any_poll_on_a_cluster_leaves_the_old_state_or_the_new() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let check = cancel::a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new;
    check(store, InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none() {
    let redis = Redis::start();
    let check = cancel::a_first_visit_dropped_at_any_poll_stores_one_session_or_none;
    check(open(&redis), InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_save_cut_short_loses_nothing_and_doubles_nothing() {
    let redis = Redis::start();
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(open(&redis), InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing() {
    let redis = Redis::start();
    let check = cut_short::a_save_cut_short_loses_nothing_and_doubles_nothing;
    check(open(&redis), Regardless).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_save_cut_short_twice_doubles_nothing() {
    let redis = Redis::start();
    cut_short::a_save_cut_short_twice_doubles_nothing(open(&redis), InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_panic_leaves_the_session_as_it_was() {
    let redis = Redis::start();
    panics::a_panic_leaves_the_session_as_it_was(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn nothing_brings_an_ended_session_back() {
    let redis = Redis::start();
    held::nothing_brings_an_ended_session_back(open(&redis), true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn nothing_brings_an_ended_session_back_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    held::nothing_brings_an_ended_session_back(store, true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_first_visit_is_held_by_nobody_elses_end() {
    let redis = Redis::start();
    held::a_first_visit_is_held_by_nobody_elses_end(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn every_history_is_explained() {
    let redis = Redis::start();
    let histories = size(2000, 100_000);
    history::every_history_is_explained(open(&redis), InRandomSteps, histories, true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn every_history_is_explained_where_calls_outlive_their_callers() {
    let redis = Redis::start();
    let histories = size(2000, 100_000);
    history::every_history_is_explained(open(&redis), Regardless, histories, true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn every_history_on_a_cluster_is_explained() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let histories = size(1000, 100_000);
    history::every_history_is_explained(store, InRandomSteps, histories, true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_planted_id_is_adopted() {
    let redis = Redis::start();
    strict_ids::no_planted_id_is_adopted(open(&redis), size(2_000, 1_000_000), true).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn sessions_live_as_long_as_the_model() {
    let redis = Redis::start();
    let steps = size(5_000, 1_000_000);
    expiry::sessions_live_as_long_as_the_model(open(&redis), steps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn cancelled_requests_touch_nothing_else() {
    let redis = Redis::start();
    let cancels = size(2_000, 1_000_000);
    storm::cancelled_requests_touch_nothing_else(open(&redis), InRandomSteps, cancels).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn cancelled_requests_whose_calls_go_on_touch_nothing_else() {
    let redis = Redis::start();
    let cancels = size(2_000, 1_000_000);
    storm::cancelled_requests_touch_nothing_else(open(&redis), Regardless, cancels).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn anonymous_reads_make_no_record() {
    let redis = Redis::start();
    floods::anonymous_reads_make_no_record(open(&redis), size(10_000, 1_000_000)).await;
    assert_eq!(redis.ask(&["DBSIZE"]).trim(), "0");
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_write_whose_answer_was_lost_is_stored_once() {
    let redis = Redis::start();
    doubt::a_write_whose_answer_was_lost_is_stored_once(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_write_in_doubt_is_never_repeated() {
    let redis = Redis::start();
    doubt::a_write_in_doubt_is_never_repeated(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn what_was_denied_is_not_stored_later() {
    let redis = Redis::start();
    doubt::what_was_denied_is_not_stored_later(open(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn tasks_of_one_request_do_not_lose_the_session() {
    let redis = Redis::start();
    let rounds = size(100, 100_000);
    doubt::tasks_of_one_request_do_not_lose_the_session(open(&redis), rounds).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_late_touch_does_not_undo_a_new_idle_timeout() {
    let redis = Redis::start();
    doubt::a_late_touch_does_not_undo_a_new_idle_timeout(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_panic_that_is_made_up_for_changes_nothing() {
    let redis = Redis::start();
    let store = open(&redis);
    panics::a_panic_that_is_made_up_for_changes_nothing(store).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_sign_in_cut_short_is_not_let_in_unchecked() {
    let redis = Redis::start();
    let store = open(&redis);
    cut_short::a_sign_in_cut_short_is_not_let_in_unchecked(store, InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_sign_in_cut_short_that_arrives_later_is_not_let_in_unchecked() {
    let redis = Redis::start();
    let store = open(&redis);
    cut_short::a_sign_in_cut_short_is_not_let_in_unchecked(store, Regardless).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_privilege_that_differs_means_another_id() {
    let redis = Redis::start();
    let store = open(&redis);
    let programs = size(300, 100_000);
    privileges::a_privilege_that_differs_means_another_id(store, programs).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_privilege_that_differs_means_another_id_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let programs = size(300, 100_000);
    privileges::a_privilege_that_differs_means_another_id(store, programs).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_first_insert_that_arrives_last_brings_nothing_back() {
    let redis = Redis::start();
    late::a_first_insert_that_arrives_last_brings_nothing_back(open(&redis)).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_first_insert_that_arrives_last_brings_nothing_back_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    late::a_first_insert_that_arrives_last_brings_nothing_back(store).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn nothing_brings_a_revoked_session_back() {
    let redis = Redis::start();
    let store = open(&redis);
    held::nothing_brings_a_revoked_session_back(store).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn nothing_brings_a_revoked_session_back_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    held::nothing_brings_a_revoked_session_back(store).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done() {
    let redis = Redis::start();
    let store = open(&redis);
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(store, InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_sign_in_or_a_revocation_dropped_at_any_poll_on_a_cluster_leaves_nothing_half_done() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let check = cancel::a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done;
    check(store, InSteps).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_sign_in_that_began_before_a_revocation_survives_it() {
    let redis = Redis::start();
    let store = open(&redis);
    let rounds = size(50, 20_000);
    revocation::no_sign_in_that_began_before_survives(store, InRandomSteps, rounds).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn no_sign_in_that_began_before_a_revocation_survives_it_on_a_cluster() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let rounds = size(25, 20_000);
    revocation::no_sign_in_that_began_before_survives(store, Regardless, rounds).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn of_many_who_sign_in_at_once_the_last_ones_stay() {
    let redis = Redis::start();
    let store = open(&redis);
    let rounds = size(50, 10_000);
    limits::the_last_to_sign_in_stay(store, InRandomSteps, rounds).await;
}

#[tokio::test]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn of_many_who_sign_in_at_once_never_too_many_are_let_in() {
    let cluster = Cluster::start();
    let store = RedisStore::open(&cluster.url()).unwrap();
    let rounds = size(50, 10_000);
    limits::never_more_are_let_in_than_allowed(store, InRandomSteps, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_store_that_fails_is_an_error_in_time() {
    faults::a_store_that_fails_is_an_error_in_time(vec![OneServer(Redis::start())]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn an_operation_whose_answer_was_lost_is_done_once() {
    faults::lost::an_operation_whose_answer_was_lost_is_done_once(OneServer(Redis::start())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_goes_on_after_an_answer_was_lost() {
    faults::lost::a_request_goes_on_after_an_answer_was_lost(OneServer(Redis::start())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn the_next_request_finds_what_was_lost() {
    faults::lost::the_next_request_finds_what_was_lost(OneServer(Redis::start())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_store_on_a_cluster_that_fails_is_an_error_in_time() {
    // A cluster has one proxy, and so one fault at a time.
    let clusters = (0..3).map(|_| ClusterBehindProxy::start()).collect();
    faults::a_store_that_fails_is_an_error_in_time(clusters).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn an_operation_on_a_cluster_whose_answer_was_lost_is_done_once() {
    let cluster = ClusterBehindProxy::start();
    faults::lost::an_operation_whose_answer_was_lost_is_done_once(cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_request_goes_on_after_an_answer_of_a_cluster_was_lost() {
    let cluster = ClusterBehindProxy::start();
    faults::lost::a_request_goes_on_after_an_answer_was_lost(cluster).await;
}
