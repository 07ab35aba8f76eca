//! Opens connections to a file, durable and beside each other; knows no statement of a store.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Pool, QueueMode, RecycleError, RecycleResult};
use deadpool_sqlite::rusqlite::{Connection, Error, ErrorCode, OpenFlags, Result};
use tokio::task::spawn_blocking;

use super::error::{InTransaction, SqliteConfigError};

/// How many connections a store of its own file opens at most: one writes, the others read beside it.
const MAX_CONNECTIONS: usize = 8;

/// How often a connection tries to write while another process does: for about 5 seconds.
const ATTEMPTS: i32 = 5000;

/// How long it sleeps in between. SQLite's own `busy_timeout` sleeps for up to 100 milliseconds, in
/// which processes that write without a pause come first again and again.
const PAUSE: Duration = Duration::from_millis(1);

/// Opens connections to one file.
#[derive(Debug)]
pub(super) struct Opener(PathBuf);

/// The path of a URL.
pub(super) fn path(url: &str) -> Result<&Path, SqliteConfigError> {
    let path = url.strip_prefix("sqlite:").ok_or(SqliteConfigError::Url)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    // An option that is taken for a part of the name would be lost in silence, and each connection
    // would have a memory of its own.
    if path.is_empty() || path == ":memory:" || path.contains(['?', '#']) {
        return Err(SqliteConfigError::Url);
    }
    Ok(Path::new(path))
}

/// No connection is opened yet.
pub(super) fn pool(path: &Path) -> Pool<Opener> {
    // A path, whatever its name: SQLite has meanings of its own for `:memory:` and `file:`.
    let opener = Opener(Path::new(".").join(path));
    let pool = Pool::builder(opener).max_size(MAX_CONNECTIONS);
    // The one that was used last has its statements and pages at hand.
    let pool = pool.queue_mode(QueueMode::Lifo).build();
    pool.expect("a pool without timeouts needs no runtime")
}

impl Manager for Opener {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection> {
        let path = self.0.clone();
        let opened = spawn_blocking(move || open(&path)).await;
        opened.unwrap_or(Err(Error::UnwindingPanic))
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        if connection.is_autocommit() {
            return Ok(());
        }
        Err(RecycleError::message(InTransaction.to_string()))
    }
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Whether to try once more, after so many times.
fn wait(times: i32) -> bool {
    sleep(PAUSE);
    times < ATTEMPTS
}

/// Has the file written by a log, beside which others read. It stays so; a file system that cannot
/// keeps its journal, which is as durable.
fn write_ahead(connection: &Connection) -> Result<()> {
    let turn_on = || connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    let mut times = 0;
    loop {
        // Of many who open a new file at once SQLite refuses all but one, and asks no handler.
        match turn_on() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if !wait(times) {
                    return Err(error);
                }
                times += 1;
            }
            done => return done,
        }
    }
}
