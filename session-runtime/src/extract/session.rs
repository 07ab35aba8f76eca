//! The live session: a smart pointer whose changes are stored when the handler is done.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::handle::SessionHandle;
use super::rejection::SessionRejection;
use super::{absent, open_and_read, read, update};
use crate::data::{self, Baseline, SessionData, Shape};
use crate::layer::{Loan, RequestSession, SessionError, events};
use crate::protocol::Place;

/// The session of this request, as a `T` to read and to change.
///
/// What a handler changed is stored before the head of its response leaves, merged field by field
/// with what other requests stored meanwhile.
///
/// A field counts as changed only if its JSON differs from its JSON when the struct was first lent out
/// as `&mut`. `==` has no say, because it may compare less than what is stored. An untouched set
/// iterates in the same order both times, so it is no change. A value whose order of iteration changes
/// by itself, such as a set that is rebuilt, counts as changed: this costs a write and loses nothing.
///
/// A change is seen when it goes through `&mut`: that of an atomic or a lock inside `T` is not.
///
/// As [`Arc`], it has associated functions and no methods: a method of `T` is never shadowed.
///
/// # In middleware
///
/// A request has one value of a struct: the later write wins, and the later reader sees the earlier
/// write. A `Session` that was changed hands its changes over when it is dropped or [saved](Self::save).
/// So **drop it, or save it, before `next.run`**. Otherwise the handler reads the old value, and the log
/// has an error that names the struct and both places.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use session_runtime::{Session, SessionData};
///
/// async fn greet<Prefs: SessionData + Default>(
///     mut prefs: Session<Prefs>,
///     request: Request,
///     next: Next,
/// ) -> Response {
///     *prefs = Prefs::default();
///     drop(prefs);
///     next.run(request).await
/// }
/// ```
///
/// # After the response
///
/// A `Session` that was lent as `&mut` must not outlive its handler, in the response's body, in a task or
/// in a list: nobody but its holder can see the change, so nothing is stored and the response is 500,
/// [`SessionError::Lent`]. Drop it or save it first. One that was only read may live on. A task takes a
/// [`SessionHandle`], and changes the session by [`SessionHandle::update`].
///
/// # Errors
///
/// As an extractor it answers [`SessionRejection`]: 500 without the layer, 503 where the store does
/// not answer, 401 where a required field is absent (`Option<Session<T>>` is `None` then).
pub struct Session<T: SessionData> {
    value: T,
    /// Which state of the request's session `value` shows.
    generation: u32,
    /// The fields as they were when `value` was first lent out as `&mut`.
    before: Option<Before>,
    request: Arc<RequestSession>,
}

struct Before {
    fields: Baseline,
    loan: Loan,
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
    /// before are stored too. Nothing is locked while it runs.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored, but for [`SessionError::Store`]: the write may have
    /// arrived. The next call of this request, or its commit, finds out.
    pub async fn update<R: Send>(
        this: &mut Self,
        change: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R, SessionError> {
        this.hand_over()?;
        let (value, answer) = update(&this.request, change).await?;
        this.value = value;
        this.generation = this.request.generation();
        Ok(answer)
    }

    /// Stores now what was changed; the response will carry the cookie if one is needed.
    ///
    /// Afterwards the value is what is stored, with what others changed.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored, but for [`SessionError::Store`]: the write may have
    /// arrived. The next call of this request, or its commit, finds out.
    pub async fn save(this: &mut Self) -> Result<(), SessionError> {
        this.hand_over()?;
        this.request.save().await?;
        this.read()
    }

    /// Drops unsaved changes of this value and takes the newest stored one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, [`SessionError::Store`] if the store does not
    /// answer; the value stays as it was.
    pub async fn reload(this: &mut Self) -> Result<(), SessionError> {
        this.request.load().await?;
        if let Some(before) = this.before.take() {
            before.loan.forget(&this.request);
        }
        this.read()
    }

    /// Hands over what was changed. From now on this value counts as unchanged, but one that cannot be stored
    /// stays changed.
    fn hand_over(&mut self) -> Result<(), SessionError> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        let changes = data::changes(&before.fields, &self.value)?;
        let before = self.before.take();
        before.map_or(Ok(()), |before| {
            before.loan.hand_over(&self.request, changes)
        })
    }

    /// Takes what the request knows to be stored.
    fn read(&mut self) -> Result<(), SessionError> {
        let absent = || SessionError::Absent(std::any::type_name::<T>());
        let value = read(&self.request, Location::caller())?;
        (self.value, self.generation) = value.ok_or_else(absent)?;
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
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        let loan = self.before.as_ref().map(|before| &before.loan);
        if loan.is_some_and(|loan| loan.was_read(&self.request)) {
            self.catch_up(Location::caller());
        }
        if self.before.is_none() {
            let (shape, at) = (Shape::of::<T>(), Location::caller());
            let mut loan = Loan::new(&self.request, shape, at, self.generation);
            if loan.is_stale {
                loan.forget(&self.request);
                self.catch_up(at);
                loan = Loan::new(&self.request, shape, at, self.generation);
            }
            let fields = Baseline::of(&self.value, std::mem::take(&mut loan.fields));
            self.before = Some(Before { fields, loan });
        }
        &mut self.value
    }
}

impl<T: SessionData> Session<T> {
    /// Hands over what was changed before another part of the request read the struct, and takes what that has
    /// made of it.
    fn catch_up(&mut self, at: Place) {
        if let Err(error) = self.hand_over() {
            events::refused(self.request.key(), std::any::type_name::<T>(), &error);
        } else if let Ok(Some(newest)) = read(&self.request, at) {
            (self.value, self.generation) = newest;
        }
    }
}

/// A handler that panics changes nothing.
impl<T: SessionData> Drop for Session<T> {
    fn drop(&mut self) {
        let before = self.before.take();
        if std::thread::panicking() {
            if let Some(before) = before {
                before.loan.forget(&self.request);
            }
            self.request.panicked();
        } else if let Some(before) = before {
            let changes = data::changes(&before.fields, &self.value);
            before.loan.end(&self.request, changes);
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
        let (request, value) = open_and_read(parts).await?;
        Ok(value.map(|(value, generation)| Self {
            value,
            generation,
            before: None,
            request,
        }))
    }
}
