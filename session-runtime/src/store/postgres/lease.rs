//! Takes a connection out of the pool for one statement, and gives back only one that is in order.

use std::time::Duration;

use deadpool_postgres::{Client, Pool};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::super::StoreError;
use super::error;

/// How long a connection has to answer a statement whose caller has gone, before it is closed.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection that may be in the middle of a statement.
///
/// If the caller goes away, the answer is still under way. It is waited for, so that neither a
/// cancelled request costs a new connection, nor a frozen one lies in the pool for others to wait at.
pub(super) struct Lease(Option<Client>);

impl Lease {
    pub(super) async fn of(pool: &Pool) -> Result<Self, StoreError> {
        let client = pool.get().await.map_err(error::of_pool)?;
        Ok(Self(Some(client)))
    }

    pub(super) fn client(&self) -> &Client {
        self.0
            .as_ref()
            .expect("a lease has its connection until it ends")
    }

    /// Ends the lease after an answer.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.0.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(wait_for_the_answer(client))),
            Err(_) => drop(Client::take(client)),
        }
    }
}

async fn wait_for_the_answer(client: Client) {
    // Answers come in the order of the questions; this one is not even a statement.
    let in_order = timeout(PATIENCE, client.check_connection()).await;
    if !matches!(in_order, Ok(Ok(()))) {
        drop(Client::take(client));
    }
}
