//! A store of one's own: each session is a file, so that sessions outlive the program.
//!
//! It checks out: `tests/custom_store.rs` runs the conformance suite on it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::{Router, routing::get};
use sessile::{
    Answer, Record, Revision, Secret, Session, SessionLayer, SessionStore, StoreError, StoreKey,
    Stored, Swap, Timestamp, merge,
};

/// Keeps each session in a file that is named by its key: its end on one line, its record as JSON
/// on the next. What it acknowledged survives the program, though not a power cut.
#[derive(Debug)]
pub struct FileStore(Arc<Mutex<PathBuf>>);

impl FileStore {
    /// Uses a directory of its own, made if it is not there.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be made.
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(Self(Arc::new(Mutex::new(directory))))
    }

    /// Works on the directory, alone and on a thread that may wait for a disk.
    ///
    /// The lock makes one step of each read and write: it is the compare-and-swap. A visitor who
    /// goes away drops the answer, but not the work: it is done wholly or was never begun.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        let directory = Arc::clone(&self.0);
        let alone = move || work(&directory.lock().unwrap_or_else(PoisonError::into_inner));
        Answer::later(async {
            let done = tokio::task::spawn_blocking(alone).await;
            done.map_err(StoreError::unavailable)?
        })
    }
}

impl SessionStore for FileStore {
    fn load<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Answer<'a, Option<Stored>> {
        let key = key.to_text();
        self.work(move |files| read(&files.join(key), now))
    }

    fn insert<'a>(
        &'a self,
        key: &'a StoreKey,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        let (key, new) = (key.to_text(), new.clone());
        self.work(move |files| {
            let free = read(&files.join(&key), now)?.is_none();
            if free {
                write(files, &key, &new)?;
            }
            Ok(free)
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a StoreKey,
        expected: Revision,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, Swap> {
        let (key, new) = (key.to_text(), new.clone());
        self.work(
            move |files| match obstacle(&files.join(&key), expected, now)? {
                Some(obstacle) => Ok(obstacle),
                None => write(files, &key, &new).map(|()| Swap::Done),
            },
        )
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        expected: Revision,
        to: &'a StoreKey,
        new: &'a Stored,
        now: Timestamp,
    ) -> Answer<'a, Swap> {
        let (from, to, new) = (from.to_text(), to.to_text(), new.clone());
        self.work(move |files| {
            let (from, to) = (files.join(from), files.join(to));
            if let Some(obstacle) = obstacle(&from, expected, now)? {
                return Ok(obstacle);
            }
            if read(&to, now)?.is_some() {
                return Err(StoreError::Taken);
            }
            // The old file goes first: a crash may cost the session, it never leaves two.
            let draft = draft(files, &new)?;
            fs::remove_file(from).map_err(StoreError::unavailable)?;
            fs::rename(draft, to).map_err(StoreError::unavailable)?;
            Ok(Swap::Done)
        })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'a, bool> {
        let key = key.to_text();
        self.work(move |files| {
            let Some(stored) = read(&files.join(&key), now)? else {
                return Ok(false);
            };
            write(files, &key, &Stored { expires, ..stored }).map(|()| true)
        })
    }

    fn remove<'a>(&'a self, key: &'a StoreKey, now: Timestamp) -> Answer<'a, bool> {
        let key = key.to_text();
        self.work(move |files| {
            let live = read(&files.join(&key), now)?.is_some();
            if live {
                fs::remove_file(files.join(key)).map_err(StoreError::unavailable)?;
            }
            Ok(live)
        })
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.work(move |files| {
            let paths = fs::read_dir(files).map_err(StoreError::unavailable)?;
            let paths = paths.filter_map(|entry| Some(entry.ok()?.path()));
            let dead = paths.filter(|path| matches!(read(path, now), Ok(None)));
            let removed = dead.take(limit).map(|path| fs::remove_file(path));
            Ok(removed.filter(Result::is_ok).count())
        })
    }
}

/// The live session of a file. A file that cannot be read is an error, never an absence.
fn read(path: &Path, now: Timestamp) -> Result<Option<Stored>, StoreError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(StoreError::unavailable)?,
    };
    let (expires, record) = text.split_once('\n').unwrap_or_default();
    let expires = expires.parse().map_err(StoreError::unavailable)?;
    let stored = Stored {
        record: Record::from_json(record.as_bytes())?,
        expires: Timestamp::from_millis(expires),
    };
    Ok(stored.is_live(now).then_some(stored))
}

/// What is in the way of a compare-and-swap, if anything.
fn obstacle(path: &Path, expected: Revision, now: Timestamp) -> Result<Option<Swap>, StoreError> {
    Ok(match read(path, now)? {
        Some(stands) if stands.record.revision == expected => None,
        Some(stands) => Some(Swap::Conflict(stands)),
        None => Some(Swap::Gone),
    })
}

fn write(files: &Path, key: &str, stored: &Stored) -> Result<(), StoreError> {
    // Nobody ever sees half a file: it gets its name when it is whole.
    fs::rename(draft(files, stored)?, files.join(key)).map_err(StoreError::unavailable)
}

fn draft(files: &Path, stored: &Stored) -> Result<PathBuf, StoreError> {
    let Stored { record, expires } = stored;
    let draft = files.join("draft");
    let text = format!("{}\n{}", expires.as_millis(), record.to_json());
    fs::write(&draft, text).map_err(StoreError::unavailable)?;
    Ok(draft)
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

async fn index(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    match visits.page_views {
        1 => "Welcome to this page for the first time!".to_owned(),
        n => format!("You visited this page {n} times"),
    }
}

/// The application, for `main` and for tests.
///
/// # Panics
///
/// Where the directory of temporary files cannot be written.
pub fn app() -> Router {
    let directory = std::env::temp_dir().join("sessile-custom-store");
    let store = FileStore::open(directory).expect("the directory of temporary files is writable");
    // With a secret that is kept, as by `Secret::from_env`, cookies outlive the program as well.
    let sessions = SessionLayer::new(store, Secret::generate());
    Router::new().route("/", get(index)).layer(sessions)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app()).await?)
}
