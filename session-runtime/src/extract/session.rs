//! The live session: a smart pointer whose changes are stored when the handler is done.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::handle::SessionHandle;
use super::rejection::SessionRejection;
use super::{absent, open, read, update};
use crate::data::{self, Change, Encoded, SessionData, Shape, Unstorable};
use crate::layer::{RequestSession, SessionError};

/// The session of this request, as a `T` to read and to change.
///
/// What a handler changed is stored before the head of its response leaves, merged field by field
/// with what other requests stored meanwhile. A field counts as changed only if its value differs.
///
/// A change is seen when it goes through `&mut`: that of an atomic or a lock inside `T` is not.
///
/// As [`Arc`], it has associated functions and no methods: a method of `T` is never shadowed.
///
/// # Errors
///
/// As an extractor it answers [`SessionRejection`]: 500 without the layer, 503 where the store does
/// not answer, 401 where a required field is absent (`Option<Session<T>>` is `None` then).
pub struct Session<T: SessionData> {
    value: T,
    /// The fields as they were when `value` was first lent out as `&mut`.
    before: Option<Before>,
    request: Arc<RequestSession>,
}

struct Before {
    fields: Encoded,
    /// How much had been taken out of the session by then.
    taken_out: usize,
}

impl<T: SessionData> Session<T> {
    /// The whole session, for its life cycle: its id, its end, what else it holds.
    #[must_use]
    pub fn handle(this: &Self) -> SessionHandle {
        SessionHandle::new(Arc::clone(&this.request))
    }

    /// Changes the newest stored value, and stores it at once: for a check and an act that must not
    /// be parted.
    ///
    /// `change` runs again after each conflict, so it must have no effect of its own. Changes made
    /// before are stored too. Nothing is locked in the store while it runs.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored.
    pub async fn update<R: Send>(
        this: &mut Self,
        change: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R, SessionError> {
        this.hand_over()?;
        let (value, answer) = update(&this.request, change).await?;
        this.value = value;
        Ok(answer)
    }

    /// Stores now what was changed; the response will carry the cookie if one is needed.
    ///
    /// Afterwards the value is what is stored, with what others changed.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored.
    pub async fn save(this: &mut Self) -> Result<(), SessionError> {
        this.hand_over()?;
        this.request.store(None).await?;
        this.read()
    }

    /// Drops unsaved changes of this value and takes the newest stored one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, [`SessionError::Store`] if the store does not
    /// answer; the value stays as it was.
    pub async fn reload(this: &mut Self) -> Result<(), SessionError> {
        this.request.refresh().await?;
        this.before = None;
        this.read()
    }

    /// Hands over what was changed, to be stored now.
    fn hand_over(&mut self) -> Result<(), SessionError> {
        let (since, changes) = self.take_changes()?;
        self.request.hand_over(Shape::of::<T>(), since, changes)
    }

    /// What was changed; from now on, this value counts as unchanged. One that cannot be stored stays
    /// changed.
    fn take_changes(&mut self) -> Result<(usize, Vec<Change>), Unstorable> {
        let Some(Before { fields, taken_out }) = &self.before else {
            return Ok(Default::default());
        };
        let changes = data::changes::<T>(fields, &data::encode(&self.value, fields.size()))?;
        let since = *taken_out;
        self.before = None;
        Ok((since, changes))
    }

    /// Takes what the request knows to be stored.
    fn read(&mut self) -> Result<(), SessionError> {
        let absent = || SessionError::Absent(std::any::type_name::<T>());
        self.value = read(&self.request)?.ok_or_else(absent)?;
        Ok(())
    }
}

impl<T: SessionData> Deref for Session<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: SessionData> DerefMut for Session<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.before.get_or_insert_with(|| Before {
            fields: data::encode(&self.value, self.request.size()),
            taken_out: self.request.taken_out(),
        });
        &mut self.value
    }
}

/// A handler that panics changes nothing.
impl<T: SessionData> Drop for Session<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        match self.take_changes() {
            Ok((since, changes)) => self.request.deposit(Shape::of::<T>(), since, changes),
            Err(unstorable) => self.request.spoil(Shape::of::<T>(), unstorable),
        }
    }
}

/// The values never print.
impl<T: SessionData> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session<{}>(..)", std::any::type_name::<T>())
    }
}

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let found = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        found.ok_or_else(absent::<T>)
    }
}

impl<S: Send + Sync, T: SessionData> OptionalFromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let request = open(parts).await?;
        let value = read(&request)?;
        Ok(value.map(|value| Self {
            value,
            before: None,
            request,
        }))
    }
}
