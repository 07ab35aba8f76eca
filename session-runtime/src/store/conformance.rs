//! Checks that a store keeps the contract of [`SessionStore`]; knows no store.

mod crowd;
mod crowded;
mod dead;
mod dropped;
mod kit;
mod live;
mod marks;
mod owners;
mod races;
mod used;
mod values;

use self::kit::Checked;
use super::SessionStore;

/// Checks every sentence of the contract of [`SessionStore`].
///
/// ```
/// use session_runtime::{MemoryStore, testing};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// testing::conformance(MemoryStore::new()).await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It runs under `#[tokio::test]` (a runtime with timers) and on a store in use: it draws fresh keys
/// and touches no other. Only [`remove_expired`](SessionStore::remove_expired) reaches further: it
/// frees what has expired, whoever stored it.
///
/// Sessions and marks end by the system's clock, as they do on a server that expires keys by itself;
/// that server's clock has to agree with this one to within a second. The store must have room for
/// 2,000 sessions.
///
/// # Panics
///
/// With a sentence that names the rule which the store breaks.
pub async fn conformance(store: impl SessionStore) {
    let store = Checked::new(store);

    values::keys_are_told_apart(&store).await;
    values::records_come_back_as_given(&store).await;
    values::ends_come_back_as_given(&store).await;

    dead::the_dead_look_absent(&store).await;
    dead::sessions_end_as_time_passes(&store).await;
    dead::a_sweep_frees_the_dead_alone(&store).await;

    live::insert_never_overwrites(&store).await;
    live::replace_compares_the_revision(&store).await;
    live::rotate_moves_a_session(&store).await;
    live::rotate_compares_the_revision(&store).await;
    live::rotate_needs_a_free_key(&store).await;
    live::touch_moves_the_end_alone(&store).await;
    live::touch_gives_way_to_a_write(&store).await;
    live::remove_is_final(&store).await;
    live::a_successor_is_where_a_session_has_gone(&store).await;

    used::a_touch_that_is_due_may_come_with_the_load(&store).await;
    used::what_is_not_due_stays_as_it_is(&store).await;
    used::an_idle_timeout_of_its_own_is_left_alone(&store).await;
    used::the_dead_are_not_used(&store).await;

    owners::sessions_are_found_by_each_owner(&store).await;
    owners::nobody_finds_what_is_not_theirs(&store).await;
    owners::a_new_sign_in_is_told_from_the_old(&store).await;
    owners::sessions_change_hands(&store).await;
    owners::what_did_nothing_changes_no_hands(&store).await;
    owners::touch_keeps_a_session_listed(&store).await;
    used::what_is_used_stays_listed(&store).await;
    owners::sessions_of_one_owner_end_one_by_one(&store).await;
    owners::a_sweep_leaves_the_living_listed(&store).await;

    marks::a_mark_is_set_and_read(&store).await;
    marks::marks_go_forward(&store).await;
    marks::a_mark_is_its_owners_alone(&store).await;
    marks::who_is_revoked_sets_no_mark(&store).await;
    marks::a_mark_is_past_at_its_until(&store).await;
    marks::a_mark_is_kept_for_the_longer(&store).await;
    marks::a_sweep_leaves_marks_that_stand(&store).await;
    marks::marks_and_sessions_leave_each_other_alone(&store).await;

    races::one_insert_wins(&store).await;
    races::one_replace_wins(&store).await;
    races::no_update_is_lost(&store).await;
    races::one_rotation_wins(&store).await;
    races::removal_is_final(&store).await;

    races::no_two_marks_are_the_same(&store).await;

    crowded::what_is_written_stays_listed(&store).await;
    crowded::the_list_is_exact_after_a_crowd(&store).await;
    crowded::the_last_to_take_a_session_has_it(&store).await;
    crowded::no_sign_in_slips_through(&store).await;
    owners::an_owner_may_have_many(&store).await;

    dropped::operations_happen_or_do_not(&store).await;
}

#[cfg(test)]
mod tests;
