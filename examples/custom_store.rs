//! A store of one's own: a map behind a lock, which is all that the contract asks for.
//!
//! `tests/custom_store.rs` runs the conformance suite on it, in one line.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{Router, routing::get};
use sessile::{
    Answer, OwnerKey, Revision, Secret, Session, SessionLayer, SessionStore, StoreError, StoreKey,
    Stored, Swap, Timestamp, merge,
};

/// Sessions by key. One lock around them makes each operation atomic.
#[derive(Debug, Default)]
pub struct MapStore {
    sessions: Mutex<HashMap<StoreKey, Stored>>,
    /// The mark of each owner who has revoked sessions, and how long it is kept.
    marks: Mutex<HashMap<OwnerKey, (Timestamp, Timestamp)>>,
}

impl MapStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Stored>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn marks(&self) -> MutexGuard<'_, HashMap<OwnerKey, (Timestamp, Timestamp)>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has expired is as good as gone.
fn live(
    sessions: &mut HashMap<StoreKey, Stored>,
    key: StoreKey,
    now: Timestamp,
) -> Option<&mut Stored> {
    sessions
        .get_mut(&key)
        .filter(|session| session.is_live(now))
}

impl SessionStore for MapStore {
    fn answers_at_once(&self) -> bool {
        true
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        Answer::now(Ok(live(&mut self.lock(), key, now).cloned()))
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        let mut sessions = self.lock();
        let is_free = live(&mut sessions, key, now).is_none();
        if is_free {
            sessions.insert(key, new);
        }
        Answer::now(Ok(is_free))
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        Answer::now(Ok(match live(&mut self.lock(), key, now) {
            None => Swap::Gone,
            Some(stands) if stands.record.revision != expected => Swap::Conflict(stands.clone()),
            Some(stands) => {
                *stands = new;
                Swap::Done
            }
        }))
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        let mut sessions = self.lock();
        let is_taken = live(&mut sessions, to, now).is_some();
        Answer::now(match live(&mut sessions, from, now) {
            None => Ok(Swap::Gone),
            Some(stands) if stands.record.revision != expected => {
                Ok(Swap::Conflict(stands.clone()))
            }
            Some(_) if is_taken => Err(StoreError::Taken),
            Some(_) => {
                sessions.remove(&from);
                sessions.insert(to, new);
                Ok(Swap::Done)
            }
        })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Answer::now(Ok(match live(&mut self.lock(), key, now) {
            None => false,
            // A write has moved the end since.
            Some(stands) if stands.record.revision != expected => true,
            Some(stands) => {
                stands.expires = expires;
                true
            }
        }))
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        let removed = self.lock().remove(&key);
        Answer::now(Ok(removed.is_some_and(|session| session.is_live(now))))
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        let mut sessions = self.lock();
        let dead = sessions.extract_if(|_, session| !session.is_live(now));
        let count = dead.take(limit).count();
        self.marks().retain(|_, (_, until)| now < *until);
        Answer::now(Ok(count))
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        let sessions = self.lock();
        let theirs = sessions.iter().filter(|(_, session)| {
            session.is_live(now) && session.record.owners.since(owner).is_some()
        });
        let found = theirs.map(|(key, session)| (*key, session.clone()));
        Answer::now(Ok(found.collect()))
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        let mut marks = self.marks();
        let mut mark = (at, until);
        if let Some((stands, end)) = marks.get(&owner).filter(|(_, end)| now < *end) {
            // Who asks is revoked.
            if since.is_some_and(|since| since <= *stands) {
                return Answer::now(Ok(None));
            }
            // No two marks of an owner are the same.
            mark = (
                at.max(stands.plus(Duration::from_millis(1))),
                until.max(*end),
            );
        }
        marks.insert(owner, mark);
        Answer::now(Ok(Some(mark.0)))
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        let marks = self.marks();
        let mark = marks.get(&owner).filter(|(_, until)| now < *until);
        Answer::now(Ok(mark.map(|(at, _)| *at)))
    }
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
pub fn app() -> Router {
    let sessions = SessionLayer::new(MapStore::default(), Secret::generate());
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
