//! What the layer asks of a store: the contract in prose; knows no cookie, no request, no clock.

mod answer;
mod beside_express;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod bigint;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod conformance;
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
mod ends;
mod error;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::sync::Arc;

pub use self::answer::Answer;
pub(crate) use self::answer::Later;
pub use self::beside_express::ExpressSessionStore;
pub use self::error::StoreError;
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresConfigError, PostgresStore};
#[cfg(feature = "redis")]
pub use self::redis::{ExpressStore, RedisStore};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteConfigError, SqliteStore};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::{OwnerKey, Record, Revision};

/// Keeps sessions.
///
/// # The contract
///
/// A session is **live** while `now < expires`. One that is not live must look exactly like one that
/// was never there, to every operation, whether or not it has been swept.
///
/// There is no upsert: [`insert`](Self::insert) never overwrites, and [`replace`](Self::replace),
/// [`rotate`](Self::rotate) and [`touch`](Self::touch) never create. A session that was removed or
/// rotated away therefore stays dead, however late a write arrives.
///
/// Each operation is atomic: others see the state before or the state after it, and an operation
/// whose future is dropped has happened or has not. `replace` and `rotate` compare the
/// [revision](Record::revision) and write in one step; of two that expect the same revision at most
/// one succeeds.
///
/// A record comes back equal to the one that was given, its JSON byte for byte. `expires` comes back
/// as it was given, or less than a second sooner where a store keeps coarser time, never later. It
/// may be past: the session is then dead at once. More than a century ahead it may come back as any
/// instant that far.
///
/// A record may have [owners](Record::owners). [`owned_by`](Self::owned_by) finds a live session by
/// each owner that its record has, and by nobody else. An index apart from the records keeps that up
/// if it may list too much but never too little:
///
/// - A session is listed before it can be loaded as an owner's, and unlisted only after it no longer
///   can: a `replace` never unlists it from an owner who stays, nor from one to whom a later
///   `replace` has given it back.
/// - Of what is listed, only what the record confirms that stands there now is answered.
/// - What is listed and not confirmed may belong to an operation under way. Who clears up waits
///   until that cannot be: for longer than any operation takes.
///
/// An operation answers when its effect is as durable as the store makes it. When a store cannot
/// tell, it answers an error, never an absence. Of a write that failed the layer finds out whether it arrived, and
/// sees to it that it arrives no more; but not where the error is [`StoreError::Full`] or
/// [`StoreError::Unsupported`], which say that nothing was done.
///
/// `now` comes from the layer: a store reads no clock (one whose server expires keys by itself may
/// leave that to its server). Keys are [hashes](StoreKey); a store never learns an id.
///
/// The crate's `testing` feature holds a suite that checks all of this in one line.
///
/// # Writing one
///
/// Answer with [`Answer::now`] where the result is at hand, and with [`Answer::later`] and an `async`
/// block where it is not. The example `custom_store` is a whole store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep sessions in the formats of this library",
    note = "implement `SessionStore` for it; the store of an Express app goes to `SessionLayer::beside_express`"
)]
pub trait SessionStore: Send + Sync + 'static {
    /// Says that the store has each answer at hand, as [`Answer::now`]. A commit then runs to its end in
    /// one call, without a future of its own.
    ///
    /// The layer has to know it before it asks, as a future that outlives the request owns its session. A
    /// commit that is given an answer for later all the same is refused with 503. `false` is always right.
    fn answers_at_once(&self) -> bool {
        false
    }

    /// Finds a live session.
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>>;

    /// Finds a live session for a request that uses it, and moves its end in the same step where that is
    /// [due](Lifetime::due).
    ///
    /// A session with an [idle timeout of its own](Record::idle) is left alone, as by
    /// [`load`](Self::load). So may any other be: by default a store only loads, and the layer asks it to
    /// [`touch`](Self::touch) what is due still. Who does both in one step spares a round trip.
    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        let _ = lifetime;
        self.load(key, now)
    }

    /// Stores a new session; `false`, and nothing done, if the key has a live one.
    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool>;

    /// Stores `new` in the place of the revision `expected`.
    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap>;

    /// Stores `new` under `to` and removes `from`, if `from` still has the revision `expected`.
    ///
    /// Where a store cannot do both at once, the removal of `from` decides: at no time are both
    /// usable with the new content, and of two rotations of one key at most one takes effect.
    /// That `to` has a live session already is an error, [`StoreError::Taken`].
    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap>;

    /// Moves the end of a live session to `expires`, leaving the record and its revision alone;
    /// `false` if there is none.
    ///
    /// Where the revision `expected` no longer stands, a write has moved the end since, by what it
    /// knew: the answer is `true`, and nothing is done.
    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool>;

    /// Removes a session; `false` if there was no live one.
    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool>;

    /// Finds the key that a session was rotated to, where the store remembers it.
    ///
    /// A logout asks it whose session was given another key by a request beside it, and then ends the
    /// session under the new one. `None` says that the store does not know: the logout is answered 409, and
    /// the next one works. By default no store remembers. One whose [`rotate`](Self::rotate) leaves
    /// something under the old key anyway can answer what that says; it must be where that rotation has
    /// put the session, and the session need not be there any more.
    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        let _ = (from, now);
        Answer::now(Ok(None))
    }

    /// Frees the space of up to about `limit` sessions that are no longer live, and says of how many.
    ///
    /// The layer calls it about once a minute, and again after a moment while it frees as many as
    /// `limit`. A store whose server does this by itself answers 0. Marks that are past are freed as well, and do
    /// not count.
    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize>;

    /// Finds the live sessions of an owner, each once, in any order, and all of them.
    ///
    /// It need not be one look at all sessions. A session that is the owner's from the question to
    /// the answer is in it, whatever is written to it; one that is stored, ends, changes hands or is
    /// rotated in between may be. What was answered before the question counts: no replica, cache or
    /// snapshot from before it will do, here and for [`marked`](Self::marked).
    ///
    /// A store without an index may look at every session.
    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>>;

    /// Marks that all sign-ins of an owner up to now are revoked, and answers the mark: `at`, or a
    /// millisecond after the mark that stands, whichever is later. So no two marks are the same.
    ///
    /// The mark stands while `now < until`, or for as long as the one that stood, whichever is longer;
    /// a store that keeps coarser time rounds up, by less than a second. Then it is as if it had never
    /// been. It is kept whether or not the owner has sessions.
    ///
    /// Where `since` is given and the mark that stands is not before it, nothing is done, and the answer
    /// is `None`: who signed in at `since` is revoked, and has no say any more. It is one step with the
    /// marking, so that no mark hides another from whom it ended.
    ///
    /// Who puts an owner's session under a new key, by `insert` or `rotate`, asks
    /// [`marked`](Self::marked) once that is answered; who revokes asks [`owned_by`](Self::owned_by)
    /// once the mark is answered. One of the two sees the other, so that no sign-in slips through: the
    /// store owes no more than that each question sees all that was answered before it was asked.
    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>>;

    /// Reads the mark of an owner, if there is one that is not past.
    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>>;
}

/// A record and the instant from which it is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Stored {
    /// What is stored.
    pub record: Record,
    /// When it ends; kept beside the record, so that a touch does not rewrite it.
    pub expires: Timestamp,
}

impl Stored {
    /// Whether the session counts as there.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}

/// How a compare-and-swap ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Swap {
    /// The new record is stored.
    Done,
    /// Nothing was done: this is what stands there instead of the expected revision.
    Conflict(Stored),
    /// Nothing was done: there is no live session under the key.
    Gone,
}

impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn answers_at_once(&self) -> bool {
        (**self).answers_at_once()
    }

    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        (**self).load(key, now)
    }

    fn load_and_touch(
        &self,
        key: StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Answer<'_, Option<Stored>> {
        (**self).load_and_touch(key, lifetime, now)
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        (**self).insert(key, new, now)
    }

    fn replace(
        &self,
        key: StoreKey,
        expected: Revision,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        (**self).replace(key, expected, new, now)
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        (**self).rotate(from, expected, to, new, now)
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        (**self).touch(key, expected, expires, now)
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        (**self).remove(key, now)
    }

    fn successor(&self, from: StoreKey, now: Timestamp) -> Answer<'_, Option<StoreKey>> {
        (**self).successor(from, now)
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        (**self).remove_expired(now, limit)
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        (**self).owned_by(owner, now)
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        (**self).mark(owner, at, until, since, now)
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        (**self).marked(owner, now)
    }
}

impl fmt::Debug for dyn SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionStore")
    }
}
