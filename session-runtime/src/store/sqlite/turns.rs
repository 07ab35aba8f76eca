//! Lends connections to threads that may block, one at a time to those who write; knows no statement.

use std::sync::Arc;

use deadpool::managed::{Object, Pool};
use deadpool_sqlite::Status;
use deadpool_sqlite::rusqlite::Connection;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use super::super::StoreError;
use super::connect::Opener;
use super::error::{self, InTransaction};

/// Connections, and the line of those who want to write.
///
/// SQLite has one writer at a time. Those of this process wait in a line, which is fair and wakes the
/// next at once; whoever waits for another process does so by SQLite's `busy_timeout`, which sleeps.
///
/// Whoever goes away while they wait has done nothing. Once the work has begun, its thread finishes it,
/// holds the connection and the turn until then, and gives back both.
#[derive(Clone)]
pub(super) struct Connections {
    source: Source,
    turn: Arc<Mutex<()>>,
}

#[derive(Clone)]
enum Source {
    Opened(Pool<Opener>),
    Given(deadpool_sqlite::Pool),
}

enum Lent {
    Opened(Object<Opener>),
    Given(deadpool_sqlite::Object),
}

impl Connections {
    pub(super) fn opened(pool: Pool<Opener>) -> Self {
        Self::of(Source::Opened(pool))
    }

    pub(super) fn given(pool: deadpool_sqlite::Pool) -> Self {
        Self::of(Source::Given(pool))
    }

    fn of(source: Source) -> Self {
        let turn = Arc::default();
        Self { source, turn }
    }

    pub(super) fn status(&self) -> Status {
        match &self.source {
            Source::Opened(pool) => pool.status(),
            Source::Given(pool) => pool.status(),
        }
    }

    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(None, work).await
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        // Before a connection: those who wait for their turn are in nobody's way who reads.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        self.run(Some(turn), work).await
    }

    async fn run<T, F>(&self, turn: Option<OwnedMutexGuard<()>>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let lent = self.source.lend().await?;
        let working = spawn_blocking(move || {
            let answer = lent.with(work);
            drop(turn);
            answer
        });
        working.await.map_err(StoreError::unavailable)?
    }
}

impl Source {
    async fn lend(&self) -> Result<Lent, StoreError> {
        match self {
            Self::Opened(pool) => pool.get().await.map(Lent::Opened),
            Self::Given(pool) => pool.get().await.map(Lent::Given),
        }
        .map_err(error::of_pool)
    }
}

impl Lent {
    /// Works with the connection, and gives it back.
    fn with<T>(
        self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Opened(mut connection) => checked(&mut connection, work),
            Self::Given(connection) => match connection.lock() {
                Ok(mut connection) => checked(&mut connection, work),
                Err(poisoned) => Err(StoreError::unavailable(poisoned.to_string())),
            },
        }
    }
}

/// What somebody left open would take in what is written now, and could take it back.
fn checked<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if !connection.is_autocommit() {
        return Err(StoreError::unavailable(InTransaction));
    }
    work(connection)
}
