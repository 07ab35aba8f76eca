//! Checks that a store keeps the contract of [`SessionStore`]; knows no store.

mod dead;
mod dropped;
mod kit;
mod live;
mod races;
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
/// Sessions end by the system's clock, as they do on a server that expires keys by itself; that
/// server's clock has to agree with this one to within a second.
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

    races::one_insert_wins(&store).await;
    races::one_replace_wins(&store).await;
    races::no_update_is_lost(&store).await;
    races::one_rotation_wins(&store).await;
    races::removal_is_final(&store).await;

    dropped::operations_happen_or_do_not(&store).await;
}

#[cfg(test)]
mod tests;
