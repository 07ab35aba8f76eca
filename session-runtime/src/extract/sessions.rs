//! The sessions of an owner: list them, end one, the others, all.

use std::cmp::Reverse;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use super::open;
use super::rejection::SessionRejection;
use crate::data::{self, Owned, SessionData, Shape};
use crate::expiry::Timestamp;
use crate::id::PublicId;
use crate::layer::{Config, RequestSession, SessionError, SessionLayer};
use crate::protocol::Call;
use crate::record::{Fields, OwnerKey, Record};

/// What was asked of the store; nothing happens until it is awaited.
// Boxed, so that a struct without an owner is one error where it is named, and not three.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send + 'a>>;

/// The sessions of an owner: who that is says a field with `#[session(owner)]`.
///
/// It is an extractor, and [`SessionLayer::sessions`] gives one to jobs that have no request.
///
/// ```
/// use session_runtime::{Owned, SessionError, Sessions};
///
/// async fn password_was_reset<Account: Owned>(
///     all: Sessions,
///     user: Account::Owner,
/// ) -> Result<String, SessionError> {
///     let ended = all.revoke_all::<Account>(&user).await?;
///     Ok(format!("signed out on {ended} devices"))
/// }
/// ```
///
/// What is revoked is dead at once, for requests under way too: what they store is refused, and a
/// sign-in that began before [`revoke_all`](Self::revoke_all) does not survive it. The clocks of the
/// servers decide which began before.
///
/// A revocation that has begun is carried out whoever leaves: if its future is dropped, because the
/// visitor has closed the connection or a timeout has passed, a task finishes it, and
/// [`SessionLayer::drained`] waits for that task. The log says if it fails.
#[derive(Clone)]
pub struct Sessions {
    config: Arc<Config>,
    request: Option<Arc<RequestSession>>,
}

impl SessionLayer {
    /// The sessions of owners, for jobs that have no request.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions {
            config: Arc::clone(self.config()),
            request: None,
        }
    }
}

impl Sessions {
    /// Lists the live sessions of an owner, the one last seen first.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`]; [`SessionError::Unstorable`] if the owner is no value that a session
    /// holds, [`SessionError::NameTaken`].
    pub fn list<T: Owned>(&self, owner: &T::Owner) -> Asked<'_, Vec<OwnedSession>> {
        let owner = self.owner::<T>(owner);
        Box::pin(async move {
            match owner? {
                Some(owner) => self.owned(owner).await,
                None => Ok(Vec::new()),
            }
        })
    }

    /// Ends every session of an owner, and every sign-in that began before; answers how many sessions
    /// it ended.
    ///
    /// If the session of this request is among them, it ends as by
    /// [`destroy`](crate::SessionHandle::destroy). Otherwise this request may sign them in afterwards,
    /// unless somebody else has revoked all that they had since it began.
    ///
    /// Once it is polled it is carried out, though its future is dropped.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list). After [`SessionError::Store`] some may be left, so call it again.
    pub fn revoke_all<T: Owned>(&self, owner: &T::Owner) -> Asked<'_, usize> {
        let owner = self.owner::<T>(owner);
        Box::pin(async move {
            match (owner?, &self.request) {
                (None, _) => Ok(0),
                (Some(owner), request) => {
                    let by_request = request.is_some();
                    let call = Call::RevokeAll { owner, by_request };
                    self.carrier().revoke(call).await
                }
            }
        })
    }

    /// Ends one session of an owner; `false` where they have none of this handle.
    ///
    /// Once it is polled it is carried out, though its future is dropped.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn revoke_of<T: Owned>(&self, owner: &T::Owner, session: PublicId) -> Asked<'_, bool> {
        let owner = self.owner::<T>(owner);
        Box::pin(async move {
            match (owner?, &self.request) {
                (None, _) => Ok(false),
                (owner, _) => {
                    let call = Call::RevokeOne { owner, session };
                    Ok(self.carrier().revoke(call).await? > 0)
                }
            }
        })
    }

    /// Ends one session of the visitor: of those that have the same owner as the session of this
    /// request. `false` where there is none of this handle, so that nobody ends another's.
    ///
    /// Once it is polled it is carried out, though its future is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`] where nobody has signed in, [`SessionError::Store`].
    pub async fn revoke(&self, session: PublicId) -> Result<bool, SessionError> {
        let call = Call::RevokeOne {
            owner: None,
            session,
        };
        Ok(self.request()?.revoke(call).await? > 0)
    }

    /// Ends the sessions of the visitor but for this one, and every sign-in that began before; answers
    /// how many it ended. After a change of password, for one.
    ///
    /// What this request changed so far is stored, as by [`save`](crate::SessionHandle::save). Once it is
    /// polled it is carried out, though its future is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`] where nobody has signed in; [`SessionError::Gone`] where the session has
    /// ended or is revoked itself, and then it ends nobody's. After [`SessionError::Store`] some may be
    /// left, so call it again; if it fails before it has stored that this session stays, this one is
    /// revoked with the others.
    pub async fn revoke_others(&self) -> Result<usize, SessionError> {
        self.request()?.revoke(Call::RevokeOthers).await
    }

    async fn owned(&self, owner: OwnerKey) -> Result<Vec<OwnedSession>, SessionError> {
        let own = self.request.as_ref().and_then(|request| request.key());
        let sessions = self.config.owned(owner).await?.into_iter();
        let mut sessions: Vec<_> = sessions
            .map(|(key, stored)| {
                let last_seen = self.config.rules.last_seen(&stored);
                let Record {
                    created,
                    owners,
                    fields,
                    ..
                } = stored.record;
                OwnedSession {
                    id: key.public(),
                    created,
                    signed_in: owners.since(owner).unwrap_or(created),
                    last_seen,
                    expires: stored.expires,
                    is_current: own == Some(key),
                    fields,
                }
            })
            .collect();
        sessions.sort_by_key(|session| (Reverse(session.last_seen), session.id));
        Ok(sessions)
    }

    /// The session that carries out a call; one of its own where there is no request.
    fn carrier(&self) -> Arc<RequestSession> {
        let own = || Arc::new(RequestSession::of_no_request(Arc::clone(&self.config)));
        self.request.clone().unwrap_or_else(own)
    }

    fn request(&self) -> Result<&Arc<RequestSession>, SessionError> {
        self.config.knows_owners()?;
        self.request.as_ref().ok_or(SessionError::NoOwner)
    }

    fn owner<T: Owned>(&self, owner: &T::Owner) -> Result<Option<OwnerKey>, SessionError> {
        self.config.claim(Shape::of::<T>())?;
        self.config.knows_owners()?;
        Ok(data::owner_key::<T>(owner)?)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Sessions {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, SessionRejection> {
        let request = open(parts).await?;
        Ok(Self {
            config: Arc::clone(&request.config),
            request: Some(request),
        })
    }
}

/// One session of an owner, as it was when it was listed.
#[derive(Clone)]
pub struct OwnedSession {
    id: PublicId,
    created: Timestamp,
    signed_in: Timestamp,
    last_seen: Timestamp,
    expires: Timestamp,
    is_current: bool,
    fields: Fields,
}

impl OwnedSession {
    /// The public handle, by which [`Sessions::revoke`] knows the session.
    #[must_use]
    pub fn id(&self) -> PublicId {
        self.id
    }

    /// When the session was first stored, before the visitor signed in perhaps.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        self.created.into()
    }

    /// When the owner signed in.
    #[must_use]
    pub fn signed_in_at(&self) -> SystemTime {
        self.signed_in.into()
    }

    /// When the session was last used, to a minute: a touch is throttled. Once the absolute timeout is
    /// nearer than the idle one it stands still, as nothing moves the session's end any more.
    #[must_use]
    pub fn last_seen_at(&self) -> SystemTime {
        self.last_seen.into()
    }

    /// When the session ends if nobody uses it.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires.into()
    }

    /// Whether it is the session of the request that lists.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Reads `T` as the session holds it, such as a struct that names the device; `None` where a
    /// required field is absent.
    #[must_use]
    pub fn get<T: SessionData>(&self) -> Option<T> {
        data::read(&self.fields)
    }
}

/// No value prints.
impl fmt::Debug for OwnedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSession")
            .field("id", &self.id)
            .field("is_current", &self.is_current)
            .finish_non_exhaustive()
    }
}
