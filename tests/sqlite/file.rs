//! A file of a test's own, and ways to it: by the store, by a pool, by hand, by another process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sessile::SqliteStore;
use sessile::deadpool_sqlite::rusqlite::Connection;
use sessile::deadpool_sqlite::{Config, Hook, HookError, Pool, Runtime};

use crate::servers::Folder;
use crate::support;

/// Where the process of a test finds the file, if it is the child of another one.
const CHILD: &str = "SESSILE_SQLITE_CHILD";

/// A file, and those that SQLite keeps beside it.
pub(crate) struct File(Folder);

impl File {
    pub(crate) fn new() -> Self {
        support::trace::install();
        Self(Folder::new("sqlite"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("app.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.unwrap()
    }

    /// A pool as an application has one.
    pub(crate) fn pool(&self, connections: usize) -> Pool {
        self.pool_with(
            connections,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
            |_| {},
        )
    }

    /// A pool whose connections begin with this SQL, and are then told something else.
    pub(crate) fn pool_with(
        &self,
        connections: usize,
        sql: &'static str,
        tell: fn(&Connection),
    ) -> Pool {
        let begin = Hook::async_fn(move |connection, _| {
            Box::pin(async move {
                // On a thread that may wait, as the file may be another's for a while.
                let begun = connection.interact(move |connection| {
                    connection.execute_batch(sql)?;
                    tell(connection);
                    Ok(())
                });
                begun.await.unwrap().map_err(HookError::Backend)
            })
        });
        let config = Config::new(self.path());
        let pool = config.builder(Runtime::Tokio1).unwrap();
        let pool = pool.max_size(connections).post_create(begin);
        pool.build().unwrap()
    }

    /// A store over such a pool, with its tables.
    pub(crate) async fn store_over(&self, pool: Pool) -> SqliteStore {
        let store = SqliteStore::new(pool);
        store.migrate().await.unwrap();
        store
    }

    /// A connection for the test itself.
    pub(crate) fn by_hand(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// This test again, as another process: there [`child`] answers the file.
    pub(crate) fn child(&self, test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]);
        command.env(CHILD, self.path()).stdout(Stdio::null());
        command
    }
}

/// The file that a parent has given to this process.
pub(crate) fn child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}
