//! A closure of the application that panics, and a store that contradicts itself.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    Answer, MemoryStore, OwnerKey, Revision, Secret, Session, SessionError, SessionHandle,
    SessionLayer, SessionStore, StoreKey, Stored, Swap, Timestamp,
};

use crate::routes::{NAME, Role, Visits, routes};
use crate::schedule::{caught, panic_quietly};
use crate::support::{Log, Visitor};

/// Says which conflict a [`Contrary`] store answers.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// Another write came first.
    Overtaken,
    /// The expected revision is stored, and the store still answers a conflict.
    Absurd,
}

/// A store that answers a conflict for some writes, and otherwise works as `MemoryStore`.
#[derive(Clone)]
struct Contrary {
    memory: Arc<MemoryStore>,
    mood: Mood,
    left: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Contrary {
    fn new(mood: Mood) -> Self {
        Self {
            memory: Arc::new(MemoryStore::new()),
            mood,
            left: Arc::default(),
            asked: Arc::default(),
        }
    }

    /// Lets the next `writes` writes end in a conflict.
    fn refuse(&self, writes: usize) {
        self.left.store(writes, Ordering::Relaxed);
        self.asked.store(0, Ordering::Relaxed);
    }

    fn swap<'a>(
        &'a self,
        key: StoreKey,
        expected: Revision,
        now: Timestamp,
        write: impl FnOnce() -> Answer<'a, Swap> + Send + 'a,
    ) -> Answer<'a, Swap> {
        Answer::later(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let less = |left: usize| left.checked_sub(1);
            if self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .is_err()
            {
                return write().await;
            }
            let stands = self.memory.load(key, now).await?;
            let mut stands = stands.expect("the session is there");
            if self.mood == Mood::Overtaken {
                stands.record.revision = Revision::from_u64(expected.as_u64() + 1);
                let other = self.memory.replace(key, expected, stands.clone(), now);
                assert_eq!(other.await?, Swap::Done);
            }
            Ok(Swap::Conflict(stands))
        })
    }
}

impl SessionStore for Contrary {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.memory.load(key, now)
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.memory.insert(key, new, now)
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.swap(key, expected, now, move || {
            self.memory.replace(key, expected, new, now)
        })
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.swap(from, expected, now, move || {
            self.memory.rotate(from, expected, to, new, now)
        })
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.memory.touch(key, expected, expires, now)
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.memory.remove(key, now)
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.memory.remove_expired(now, limit)
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.memory.owned_by(owner, now)
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.memory.mark(owner, at, until, since, now)
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.memory.marked(owner, now)
    }
}

/// Keeps the handle of a request that has been answered.
type Kept = Arc<Mutex<Option<SessionHandle>>>;

/// Changes a view, updates by a closure whose `panics_at`-th run panics, and saves.
async fn saves_after_a_panic(
    session: SessionHandle,
    mut visits: Session<Visits>,
    Path(panics_at): Path<usize>,
) -> Result<String, SessionError> {
    visits.count += 1;
    drop(visits);
    let mut runs = 0;
    let update = session.update(|role: &mut Role| {
        role.level += 1;
        runs += 1;
        if runs == panics_at {
            panic_quietly();
        }
    });
    assert!(caught(AssertUnwindSafe(update)).await.is_none());
    session.save().await?;
    let visits = session.load::<Visits>().await?.unwrap();
    let role = session.load::<Role>().await?.unwrap();
    Ok(format!("{} visits, level {}", visits.count, role.level))
}

/// Does the same by a view that stays alive.
async fn saves_a_view_after_a_panic(
    mut visits: Session<Visits>,
    Path(panics_at): Path<usize>,
) -> Result<String, SessionError> {
    visits.count += 1;
    let mut runs = 0;
    let update = Session::update(&mut visits, |visits| {
        visits.count += 10;
        runs += 1;
        if runs == panics_at {
            panic_quietly();
        }
    });
    assert!(caught(AssertUnwindSafe(update)).await.is_none());
    Session::save(&mut visits).await?;
    Ok(format!("{} visits, level 0", visits.count))
}

fn site(store: &Contrary, kept: &Kept) -> Router {
    let kept = Arc::clone(kept);
    let keep = get(async move |session: SessionHandle| *kept.lock().unwrap() = Some(session));
    let panics = Router::new()
        .route("/by-handle/{panics_at}", get(saves_after_a_panic))
        .route("/by-view/{panics_at}", get(saves_a_view_after_a_panic))
        .route("/keep", keep);
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    routes().merge(panics).layer(sessions)
}

#[tokio::test]
async fn an_update_that_panics_leaves_the_request_as_it_was_before() {
    for by in ["by-handle", "by-view"] {
        for panics_at in 1..=3 {
            let store = Contrary::new(Mood::Overtaken);
            let mut visitor = Visitor::new(&site(&store, &Kept::default()));
            visitor.get("/visit").await;
            let before = visitor.cookie(NAME).unwrap().to_owned();
            store.refuse(panics_at - 1);
            let answer = visitor.get(&format!("/{by}/{panics_at}")).await;
            let at = format!("{by}, run {panics_at}");
            assert_eq!(answer.body, "2 visits, level 0", "{at}");
            // No privilege has changed.
            assert_eq!(answer.set_cookies(), [""; 0], "{at}");
            assert_eq!(visitor.cookie(NAME).unwrap(), before, "{at}");
            assert_eq!(visitor.get("/read").await.body, "2", "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_calls_the_expected_revision_a_conflict_is_503_and_an_error() {
    for path in ["/visit", "/renew", "/promote"] {
        let store = Contrary::new(Mood::Absurd);
        let mut visitor = Visitor::new(&site(&store, &Kept::default()));
        visitor.get("/visit").await;
        store.refuse(usize::MAX);
        let (log, _listening) = Log::listen();
        let answered = tokio::time::timeout(Duration::from_mins(1), visitor.get(path));
        let answer = answered.await.expect("no loop is endless");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        let asked = store.asked.load(Ordering::Relaxed);
        assert!(asked <= 100, "{path}: {asked} writes");
        let is_error = |line: &String| line.starts_with("ERROR ");
        assert!(log.warnings().iter().any(is_error), "{path}");
        store.refuse(0);
        assert_eq!(visitor.get("/read").await.body, "1", "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_after_the_response_meets_such_a_store_with_an_error_too() {
    let (store, kept) = (Contrary::new(Mood::Absurd), Kept::default());
    let mut visitor = Visitor::new(&site(&store, &kept));
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = kept.lock().unwrap().take().unwrap();
    store.refuse(usize::MAX);
    let (log, _listening) = Log::listen();
    let update = session.update(|visits: &mut Visits| visits.count += 1);
    let updated = tokio::time::timeout(Duration::from_mins(1), update).await;
    let error = updated.expect("no loop is endless").unwrap_err();
    assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(store.asked.load(Ordering::Relaxed) <= 100);
    let warnings = log.warnings();
    let is_error = |line: &String| line.starts_with("ERROR ");
    assert!(warnings.iter().any(is_error), "{warnings:?}");
}
