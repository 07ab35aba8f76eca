//! How a request's session stands: what is known of the store, what is wanted, what became of it.

use std::any::TypeId;
use std::mem;
use std::sync::MutexGuard;
use std::time::Duration;

use super::attempt::Attempt;
use super::config::{Arrival, Config};
use super::endings::Stirs;
use super::error::SessionError;
use super::events;
use super::live::Live;
use super::wanted::{Pending, Wanted};
use crate::cookie::Connection;
use crate::data::{self, Change, Shape};
use crate::expiry::Timestamp;
use crate::express::{self, CookieObject};
use crate::id::StoreKey;
use crate::record::{Fields, OwnerKey, Owners, Record};
use crate::store::Stored;
use crate::token::Way;

/// Everything that one request knows of its session.
#[derive(Default)]
pub(super) struct State {
    /// An extractor has asked for the session.
    pub(super) asked: bool,
    /// What the head says, where the layer has read it before any extractor came.
    pub(super) arrival: Option<Arrival>,
    pub(super) way: Way,
    pub(super) connection: Connection,
    /// When the session was first asked for; a sign-in counts from there.
    pub(super) began: Timestamp,
    /// The idle timeout of its own with which a session of this request begins.
    pub(super) begins_with: Option<Duration>,
    /// Whose sessions this request has revoked: for them it counts as begun then, just after its mark.
    pub(super) began_anew: Vec<(OwnerKey, Timestamp)>,
    pub(super) origin: Origin,
    /// The session as it is known to be stored.
    pub(super) live: Option<Live>,
    /// What has been done since, and no write has taken up yet.
    pub(super) pending: Pending,
    /// What `clear`, `insert` and `remove` have taken out, in order.
    pub(super) taken_out: Vec<TakenOut>,
    pub(super) missed: Missed,
    /// What a write has taken up, until it is known to be stored; it comes before what is pending.
    pub(super) in_hand: Wanted,
    /// A write whose answer has not been seen; it holds what is in hand.
    pub(super) attempt: Option<Box<Attempt>>,
    pub(super) stage: Stage,
    pub(super) fate: Fate,
    pub(super) moved: Moved,
    /// The visitor's token does not open the session as it is stored now.
    pub(super) owes_cookie: bool,
    /// Who waits for the end of the session.
    pub(super) stirs: Stirs,
}

/// How far the request has come.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// The handler runs.
    #[default]
    Open,
    /// The handler is done, its changes are being stored.
    Closing,
    /// The response is on its way: no cookie can follow.
    Sent,
}

/// Whether the session can still be stored in this request.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fate {
    #[default]
    Open,
    /// The handler has ended it.
    Destroyed,
    /// The handler has ended it with others of its owner: it is removed already.
    Revoked,
    /// It was found to have vanished.
    Gone,
}

/// What has moved the session's end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Moved {
    #[default]
    Nothing,
    Touch,
    /// A write of what stood there already: `resave`.
    Again,
    Write,
}

/// What has become of changes that are not stored.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Missed {
    #[default]
    Nothing,
    /// They came when nothing could be stored any more.
    TooLate,
    /// Nobody can tell whether they are.
    InDoubt,
}

/// What became of changes that were handed over.
pub(super) enum Handed {
    Over,
    /// What they changed has been taken out of the session: they are dropped.
    TooLate,
}

/// Something that is not to come back.
pub(super) enum TakenOut {
    Everything,
    /// Not its slice: many structs stand at the top level.
    Struct(TypeId),
}

/// How the request came.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Origin {
    #[default]
    Unread,
    WithoutSession,
    WithSession,
}

/// What is logged of it is logged once it is unlocked: who listens may have a handle of the session, and
/// ask it.
impl State {
    /// The key of the session, where one is stored.
    pub(super) fn key(&self) -> Option<StoreKey> {
        self.live.as_ref().map(|live| live.key)
    }

    /// What is known to be stored.
    pub(super) fn fields(&self) -> &Fields {
        self.live
            .as_ref()
            .map_or(Fields::NONE, |live| &live.record.fields)
    }

    pub(super) fn is_taken_out(&self, data: TypeId, since: usize) -> bool {
        let mut taken_out = self.taken_out.iter().skip(since);
        taken_out.any(|taken_out| match taken_out {
            TakenOut::Everything => true,
            TakenOut::Struct(taken) => *taken == data,
        })
    }

    /// Whether nothing was done since the session was loaded, or last stored.
    pub(super) fn is_settled(&self) -> bool {
        let Pending {
            wanted,
            unstorable,
            touch,
        } = &self.pending;
        wanted.is_empty() && self.in_hand.is_empty() && unstorable.is_none() && !*touch
    }

    /// Takes what a view of `shape` changed since so much was taken out.
    pub(super) fn hand_over(
        &mut self,
        shape: Shape,
        since: usize,
        changes: Vec<Change>,
    ) -> Result<Handed, SessionError> {
        self.writable()?;
        if self.is_taken_out(shape.id, since) {
            return Ok(Handed::TooLate);
        }
        self.pending.wanted.add(changes);
        Ok(Handed::Over)
    }

    /// Takes up what is pending, to be stored with what is in hand.
    pub(super) fn take_up(&mut self) {
        self.in_hand.append(mem::take(&mut self.pending.wanted));
    }

    /// Drops what has not been stored.
    pub(super) fn drop_changes(&mut self) {
        self.pending = Pending::default();
        self.in_hand = Wanted::default();
    }

    /// The session has vanished: what is pending can never be stored, and is reported once.
    pub(super) fn lose(mut state: MutexGuard<'_, Self>) -> SessionError {
        let live = state.live.take();
        state.fate = Fate::Gone;
        state.attempt = None;
        state.drop_changes();
        state.stirs.stir();
        drop(state);
        if let Some(live) = live {
            events::gone(live.key, "its changes were stored");
        }
        SessionError::Gone
    }

    /// This request has revoked its own session.
    pub(super) fn revoke(&mut self) {
        self.live = None;
        self.attempt = None;
        self.drop_changes();
        self.fate = if self.stage == Stage::Sent {
            Fate::Gone
        } else {
            Fate::Revoked
        };
        self.stirs.stir();
    }

    /// Whether anything can still be stored in this request.
    pub(super) fn writable(&self) -> Result<(), SessionError> {
        // After the response no cookie could tell the visitor of a new session.
        let unreachable = self.stage == Stage::Sent && self.live.is_none();
        if self.fate != Fate::Open || unreachable {
            Err(SessionError::Gone)
        } else {
            Ok(())
        }
    }

    /// Whose the session is after what is wanted.
    pub(super) fn owners(&self) -> Owners {
        let live = self.live.as_ref();
        let stored = live.map(|live| live.record.owners.clone());
        let wanted = [&self.in_hand, &self.pending.wanted].into_iter();
        wanted.fold(stored.unwrap_or_default(), |owners, wanted| {
            let owners = if wanted.affirm {
                owners.anew(|owner| self.anew(owner))
            } else {
                owners
            };
            data::owners(&wanted.changes, &owners, |owner| self.since(owner))
        })
    }

    /// Since when a session is an owner's that this request makes theirs.
    pub(super) fn since(&self, owner: OwnerKey) -> Timestamp {
        self.anew(owner).unwrap_or(self.began)
    }

    fn anew(&self, owner: OwnerKey) -> Option<Timestamp> {
        let mut latest_first = self.began_anew.iter().rev();
        let anew = latest_first.find(|(theirs, _)| *theirs == owner);
        anew.map(|(_, since)| *since)
    }

    /// The session as it will stand in the store; `None` if its end is past.
    pub(super) fn target(
        &mut self,
        config: &Config,
        cookie: Option<&CookieObject>,
        fields: Fields,
        owners: Owners,
        now: Timestamp,
    ) -> Result<Option<Live>, SessionError> {
        let live = self.live.as_ref();
        let record = Record {
            revision: Config::new_revision(now),
            created: live.map_or(now, |live| live.record.created),
            idle: self.in_hand.idle.of(
                live.map_or(self.begins_with, |live| live.record.idle),
                self.begins_with,
            ),
            owners,
            fields,
        };
        let expires = config.deadline(&record, now);
        if expires <= now {
            return Ok(None);
        }
        let (id, key) = match live {
            Some(live) if !self.in_hand.renew => (live.id, live.key),
            _ if self.stage == Stage::Sent => {
                self.drop_changes();
                return Err(SessionError::TooLate);
            }
            _ => {
                let id = config.new_id();
                (id, config.key(id))
            }
        };
        Ok(Some(Live {
            id,
            key,
            record: express::seal(record, expires, cookie),
            expires,
        }))
    }

    /// Another write was faster: what is in hand stays there.
    pub(super) fn meet(mut state: MutexGuard<'_, Self>, attempt: &Attempt, standing: Stored) {
        state.attempt = None;
        if attempt.has_new_id() {
            state.stirs.stir();
        }
        state.live = attempt.met(standing);
        let session = state.key();
        drop(state);
        if let Some(session) = session {
            events::conflict(session);
        }
    }

    /// A write was refused: what it held is still to be stored.
    pub(super) fn refuse(&mut self) {
        self.attempt = None;
        self.stirs.stir();
    }

    /// A write will not arrive: what it held is still to be stored.
    pub(super) fn withdraw(&mut self, fence: Live) {
        self.attempt = None;
        self.live = Some(fence);
        self.stirs.stir();
    }

    /// Nobody can tell whether a write arrived, so what it held is given up. The response says so, even
    /// if the handler does not mind.
    pub(super) fn doubt(&mut self, attempt: &Attempt, standing: Stored) {
        self.missed = Missed::InDoubt;
        self.attempt = None;
        self.in_hand = Wanted::default();
        self.live = attempt.met(standing);
        self.stirs.stir();
    }

    /// A write has arrived: what it held is no longer in hand.
    pub(super) fn adopt(mut state: MutexGuard<'_, Self>, attempt: Attempt) {
        state.attempt = None;
        let has_new_id = attempt.has_new_id();
        let Attempt { from, target } = attempt;
        let (old, session) = (from.as_ref().map(|from| from.key), target.key);
        let own_idle = |live: &Live| live.record.idle.is_some();
        let is_again = from.is_some() && state.in_hand.is_only_forced();
        let is_forgotten = from.as_ref().is_some_and(own_idle) && !own_idle(&target);
        state.in_hand = Wanted::default();
        // The browser keeps a cookie for as long as it was told.
        state.owes_cookie |= has_new_id || is_forgotten;
        state.moved = if is_again { Moved::Again } else { Moved::Write };
        state.live = Some(target);
        if has_new_id {
            state.stirs.stir();
        }
        drop(state);
        match old {
            None => events::created(session),
            Some(old) if has_new_id => events::rotated(old, session),
            Some(_) => {}
        }
    }
}
