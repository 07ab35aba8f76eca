//! What the checks share: fresh keys, sessions that can be told apart, operations that must answer.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::{SessionStore, StoreError, Stored, Swap};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::{ID_BYTES, SessionId, StoreKey};
use crate::record::{OwnerKey, Record, Revision};

const HOUR: Duration = Duration::from_hours(1);

/// How much sooner than asked a session may end, in a store that keeps coarser time.
const COARSENESS: Duration = Duration::from_secs(1);

/// A store whose errors end the suite.
pub(super) struct Checked<S>(pub(super) Arc<S>);

impl<S> Clone for Checked<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: SessionStore> Checked<S> {
    pub(super) fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    pub(super) async fn load(&self, key: &StoreKey) -> Option<Stored> {
        self.load_at(key, now()).await
    }

    pub(super) async fn load_at(&self, key: &StoreKey, now: Timestamp) -> Option<Stored> {
        answered("load", self.0.load(*key, now).await)
    }

    pub(super) async fn load_and_touch(
        &self,
        key: &StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Option<Stored> {
        let loaded = self.0.load_and_touch(*key, lifetime, now).await;
        answered("load_and_touch", loaded)
    }

    pub(super) async fn insert(&self, key: &StoreKey, new: &Stored) -> bool {
        answered("insert", self.0.insert(*key, new.clone(), now()).await)
    }

    pub(super) async fn replace(&self, key: &StoreKey, expected: Revision, new: &Stored) -> Swap {
        answered(
            "replace",
            self.0.replace(*key, expected, new.clone(), now()).await,
        )
    }

    pub(super) async fn rotate(
        &self,
        from: &StoreKey,
        expected: Revision,
        to: &StoreKey,
        new: &Stored,
    ) -> Swap {
        let swap = self
            .0
            .rotate(*from, expected, *to, new.clone(), now())
            .await;
        answered("rotate", swap)
    }

    /// Touches whatever stands.
    pub(super) async fn touch(&self, key: &StoreKey, expires: Timestamp) -> bool {
        let stands = self.load(key).await;
        let expected = stands.map_or(Revision::from_u64(0), |session| session.record.revision);
        self.touch_revision(key, expected, expires).await
    }

    pub(super) async fn touch_revision(
        &self,
        key: &StoreKey,
        expected: Revision,
        expires: Timestamp,
    ) -> bool {
        let touched = self.0.touch(*key, expected, expires, now()).await;
        answered("touch", touched)
    }

    pub(super) async fn remove(&self, key: &StoreKey) -> bool {
        answered("remove", self.0.remove(*key, now()).await)
    }

    pub(super) async fn successor(&self, from: &StoreKey) -> Option<StoreKey> {
        answered("successor", self.0.successor(*from, now()).await)
    }

    pub(super) async fn remove_expired(&self, limit: usize) -> usize {
        let freed = self.0.remove_expired(now(), limit).await;
        answered("remove_expired", freed)
    }

    pub(super) async fn owned_by(&self, owner: OwnerKey) -> Vec<(StoreKey, Stored)> {
        self.owned_by_at(owner, now()).await
    }

    pub(super) async fn owned_by_at(
        &self,
        owner: OwnerKey,
        now: Timestamp,
    ) -> Vec<(StoreKey, Stored)> {
        answered("owned_by", self.0.owned_by(owner, now).await)
    }

    pub(super) async fn mark(&self, owner: OwnerKey, at: Timestamp, until: Timestamp) -> Timestamp {
        let mark = answered("mark", self.0.mark(owner, at, until, None, now()).await);
        mark.expect("`mark` must set a mark unless `since` forbids it")
    }

    /// Marks on behalf of who signed in at `since`.
    pub(super) async fn mark_since(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        since: Timestamp,
    ) -> Option<Timestamp> {
        let marked = self.0.mark(owner, at, in_an_hour(), Some(since), now());
        answered("mark", marked.await)
    }

    pub(super) async fn marked(&self, owner: OwnerKey) -> Option<Timestamp> {
        self.marked_at(owner, now()).await
    }

    pub(super) async fn marked_at(&self, owner: OwnerKey, now: Timestamp) -> Option<Timestamp> {
        answered("marked", self.0.marked(owner, now).await)
    }

    /// A new live session.
    pub(super) async fn stored(&self) -> (StoreKey, Stored) {
        let session = live(0);
        (self.stored_as(&session).await, session)
    }

    /// A new live session of an owner.
    pub(super) async fn stored_of(&self, owner: OwnerKey) -> (StoreKey, Stored) {
        let session = of(owner, live(0));
        (self.stored_as(&session).await, session)
    }

    /// Where this session is stored from now on.
    pub(super) async fn stored_as(&self, session: &Stored) -> StoreKey {
        let key = fresh_key();
        assert!(
            self.insert(&key, session).await,
            "`insert` must store a session under a key that was never used"
        );
        key
    }

    /// Panics with the sentence unless exactly this session is live under the key.
    pub(super) async fn must_hold(&self, key: &StoreKey, session: &Stored, sentence: &str) {
        let found = self.load(key).await;
        let as_given = found.as_ref().is_some_and(|found| same(found, session));
        assert!(
            as_given,
            "{sentence}: expected {session:?}, found {found:?}"
        );
    }

    /// Panics with the sentence if a session is live under the key.
    pub(super) async fn must_be_free(&self, key: &StoreKey, sentence: &str) {
        must_be(self.load(key).await, None, sentence);
    }

    /// Panics if a key has a successor whose session was not rotated away.
    pub(super) async fn must_have_no_successor(&self, key: &StoreKey, whose: &str) {
        let sentence = format!("`successor` of a session {whose} must answer nothing");
        must_be(self.successor(key).await, None, &sentence);
    }

    /// Panics with the sentence unless the live sessions of an owner are exactly these.
    pub(super) async fn must_own(
        &self,
        owner: OwnerKey,
        sessions: &[(StoreKey, Stored)],
        sentence: &str,
    ) {
        let mut found = self.owned_by(owner).await;
        let mut expected = sessions.to_vec();
        found.sort_by_key(|(key, _)| *key);
        expected.sort_by_key(|(key, _)| *key);
        let mut pairs = found.iter().zip(&expected);
        assert!(
            found.len() == expected.len()
                && pairs.all(|(found, given)| found.0 == given.0 && same(&found.1, &given.1)),
            "{sentence}: expected {expected:?}, found {found:?}"
        );
    }
}

/// Panics with the sentence unless what was found is what was expected.
#[expect(
    clippy::needless_pass_by_value,
    reason = "most of what is found is a temporary"
)]
pub(super) fn must_be<T: PartialEq + Debug>(found: T, expected: T, sentence: &str) {
    assert!(
        found == expected,
        "{sentence}: expected {expected:?}, found {found:?}"
    );
}

/// Panics with the sentence unless something holds at once, for a store that goes by the `now` it is
/// told, or in a while, for one with a clock of its own.
pub(super) async fn soon(sentence: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{sentence}");
}

fn answered<T>(operation: &str, answer: Result<T, StoreError>) -> T {
    match answer {
        Ok(answer) => answer,
        Err(error) => panic!("`{operation}` answered an error where it has to work: {error:?}"),
    }
}

pub(super) fn now() -> Timestamp {
    SystemTime::now().into()
}

pub(super) fn in_an_hour() -> Timestamp {
    now().plus(HOUR)
}

pub(super) fn an_hour_ago() -> Timestamp {
    let millis = HOUR.as_secs() * 1000;
    Timestamp::from_millis(now().as_millis().saturating_sub(millis))
}

pub(super) fn fresh_key() -> StoreKey {
    let mut bytes = [0; ID_BYTES];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    SessionId::from_bytes(bytes).key()
}

pub(super) fn fresh_owner() -> OwnerKey {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    OwnerKey::of("account", &bytes)
}

/// A record of a revision of its own.
pub(super) fn record(data: &str) -> Record {
    let revision = Revision::from_u64(fastrand::u64(..)).as_u64();
    let created = now().as_millis();
    let json = format!(r#"{{"v":1,"rev":{revision},"created":{created},"data":{data}}}"#);
    Record::from_json(json.as_bytes()).expect("the checks write records")
}

/// A session that holds a number, has a revision of its own, and lives for the next hour.
pub(super) fn live(number: u64) -> Stored {
    Stored {
        record: record(&format!(r#"{{"check":{{"number":{number}}}}}"#)),
        expires: in_an_hour(),
    }
}

/// The session as one of an owner who has just signed in.
pub(super) fn of(owner: OwnerKey, session: Stored) -> Stored {
    since(now(), owner, session)
}

/// The session as one of an owner who signed in then.
pub(super) fn since(since: Timestamp, owner: OwnerKey, mut session: Stored) -> Stored {
    session.record.owners = session.record.owners.with("account", owner, since);
    session
}

/// A session like [`live`]'s that ended an hour ago.
pub(super) fn expired(number: u64) -> Stored {
    Stored {
        expires: an_hour_ago(),
        ..live(number)
    }
}

/// Whether a session came back as it was given.
pub(super) fn same(found: &Stored, given: &Stored) -> bool {
    found.record == given.record && same_end(found.expires, given.expires)
}

pub(super) fn same_end(found: Timestamp, given: Timestamp) -> bool {
    found <= given && given.since(found) < COARSENESS
}

/// Whether nothing was done because this session stands there.
pub(super) fn conflicts_with(swap: &Swap, stands: &Stored) -> bool {
    matches!(swap, Swap::Conflict(found) if same(found, stands))
}
