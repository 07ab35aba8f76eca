//! The whole session without its types: its life cycle, and its structs by name of their type.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use super::rejection::SessionRejection;
use super::{open, read, update};
use crate::data::{self, SessionData, Shape};
use crate::id::PublicId;
use crate::layer::{RequestSession, SessionError, ended};

/// The whole session of a request: its id, its end, its structs.
///
/// A clone speaks of the same session. It may be kept after the response, in a websocket or a
/// spawned task: [`load`](Self::load), [`update`](Self::update) and [`touch`](Self::touch) then go to the
/// store, count as use of the session, and answer [`SessionError::Gone`] once it has ended.
#[derive(Clone)]
pub struct SessionHandle(Arc<RequestSession>);

impl SessionHandle {
    pub(super) fn new(request: Arc<RequestSession>) -> Self {
        Self(request)
    }

    /// The public handle of the stored session, safe to log and to show; `None` where nothing has
    /// been stored. It is new after a rotation.
    #[must_use]
    pub fn id(&self) -> Option<PublicId> {
        self.0.key().map(|key| key.public())
    }

    /// Whether the visitor came without a session, or with one that has ended.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.0.is_new()
    }

    /// When the session ends if nobody uses it, as it is stored; `None` where nothing has been.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires().map(SystemTime::from)
    }

    /// Reads `T` as this request left it so far.
    ///
    /// # Errors
    ///
    /// [`SessionError::NameTaken`].
    #[track_caller]
    pub fn get<T: SessionData>(&self) -> Result<Option<T>, SessionError> {
        let value = read(&self.0, Location::caller())?;
        Ok(value.map(|(value, _)| value))
    }

    /// Puts `value` in the place of the stored `T`, to be stored when the handler is done. Fields of
    /// the old one that this version does not know go with it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] after [`destroy`](Self::destroy), [`SessionError::Unstorable`],
    /// [`SessionError::NameTaken`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the session takes the value over"
    )]
    pub fn insert<T: SessionData>(&self, value: T) -> Result<(), SessionError> {
        let shape = Shape::of::<T>();
        self.0.config.claim(shape)?;
        self.0.push(shape, data::insertion(&value)?)
    }

    /// Takes `T` out of the session, and returns what it was.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] after [`destroy`](Self::destroy), [`SessionError::NameTaken`].
    #[track_caller]
    pub fn remove<T: SessionData>(&self) -> Result<Option<T>, SessionError> {
        let value = self.get()?;
        self.0.push(Shape::of::<T>(), data::removal::<T>())?;
        Ok(value)
    }

    /// Takes everything out of the session; its id changes when the handler is done.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Gives the session a new id when the handler is done: after any change of what the visitor
    /// may do (OWASP, "Renew the Session ID After Any Privilege Level Change").
    pub fn renew(&self) {
        self.0.renew();
    }

    /// Ends the session when the handler is done, whatever status it answers: logout.
    ///
    /// What the request changed is dropped; nothing can be put into the session any more. Where the
    /// visitor has come with two live sessions, of which none counts, both end.
    ///
    /// The end is carried out whoever leaves: though the visitor closes the connection, or a timeout drops
    /// the handler, a task finishes it, and [`SessionLayer::drained`](crate::SessionLayer::drained) waits
    /// for that. After the response a task ends the session at once; the log says if the store fails.
    ///
    /// The response tells what became of it. It is 503 where the store fails, and 409 where the session
    /// had ended before, or another request has given it a new id and the store cannot say
    /// [which](crate::SessionStore::successor).
    pub fn destroy(&self) {
        self.0.destroy();
    }

    /// Moves the end of the session, even if it is not due.
    ///
    /// In a handler it is noted, and the commit does it. After the response it asks the store at once: a
    /// websocket keeps its session alive by a touch for each message of its visitor. An open socket alone
    /// keeps nothing alive.
    ///
    /// After the response [`load`](Self::load) and [`update`](Self::update) count as use too, and move the
    /// end when that is due, about once a minute.
    ///
    /// # Errors
    ///
    /// In a handler none. After the response, [`SessionError::Gone`] if the session has ended or none was
    /// stored, [`SessionError::Store`].
    pub async fn touch(&self) -> Result<(), SessionError> {
        self.0.touch().await
    }

    /// Sets the idle timeout of this session alone, at least a second: "remember me". Its cookie
    /// then outlives the browser, as long as the session lives. The absolute timeout stays, and so does the
    /// limit that [`timeouts`](crate::SessionLayerBuilder::timeouts) sets: what is longer ends there.
    ///
    /// It ends with the sign-in: once the session has another owner, or none, or the same one has signed
    /// in anew, the layer's timeout counts again.
    pub fn set_max_age(&self, max_age: Duration) {
        let millis = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
        self.0.set_idle(Duration::from_millis(millis.max(1000)));
    }

    /// Takes [`set_max_age`](Self::set_max_age) back: the layer's timeout and the layer's cookie count
    /// again.
    pub fn reset_max_age(&self) {
        self.0.drop_idle();
    }

    /// Waits until this process learns that the session is gone: for a websocket or a stream that must
    /// not outlive the session it was opened in.
    ///
    /// It learns from its own requests: one that ends the session, signs in or out under another id,
    /// or finds it gone. A rotation by the request of this handle does not end it. At the instant at
    /// which the session would end it asks the store, since another process may have touched the
    /// session. What another process ends it learns when it next asks the store: where several servers
    /// share one, call [`load`](Self::load) from time to time.
    ///
    /// It begins with its first poll, and asks the store once then. Where nothing is stored yet, it
    /// waits for the commit; if that stores nothing there is no session, and the wait is over. So it is
    /// once [`destroy`](Self::destroy) has been carried out. If the store does not answer, the session
    /// counts as alive.
    ///
    /// Any number may wait. Dropping the future leaves nothing behind.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        ended(Arc::clone(&self.0))
    }

    /// Stores now what was changed so far; the response will carry the cookie if one is needed.
    ///
    /// A [`Session<T>`](crate::Session) that is still in use keeps its changes to itself: save it by
    /// `Session::save`. What is stored stays stored, whatever the handler answers.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored, but for [`SessionError::Store`]: the write may have
    /// arrived. The next call of this request, or its commit, finds out.
    pub async fn save(&self) -> Result<(), SessionError> {
        self.0.save().await
    }

    /// Drops what was changed so far and loads the session anew.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, [`SessionError::Store`].
    pub async fn reload(&self) -> Result<(), SessionError> {
        self.0.reload().await
    }

    /// Reads `T` as it is stored now, without what this request has not stored yet; `None` where a
    /// required field is absent.
    ///
    /// After the response it counts as use of the session, and moves its end when that is due.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, [`SessionError::Store`],
    /// [`SessionError::NameTaken`].
    pub async fn load<T: SessionData>(&self) -> Result<Option<T>, SessionError> {
        self.0.config.claim(Shape::of::<T>())?;
        self.0.load().await?;
        Ok(data::read(&self.0.stored_fields()))
    }

    /// Changes the newest stored `T`, and stores it at once, with what this request changed before.
    ///
    /// `change` runs again after each conflict, so it must have no effect of its own. Nothing is locked
    /// while it runs. If it panics, nothing of it is stored.
    ///
    /// After the response it counts as use of the session, though it changes nothing. It cannot change a
    /// privilege then, as no cookie can follow with the new id.
    ///
    /// # Errors
    ///
    /// [`SessionError`], and then nothing is stored, but for [`SessionError::Store`]: the write may have
    /// arrived. The next call of this request, or its commit, finds out.
    pub async fn update<T: SessionData, R: Send>(
        &self,
        change: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R, SessionError> {
        let (_, answer) = update(&self.0, change).await?;
        Ok(answer)
    }
}

/// A handler that panics changes nothing.
impl Drop for SessionHandle {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.panicked();
        }
    }
}

/// Neither the id nor a value prints.
impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionHandle").field(&self.id()).finish()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionHandle {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, SessionRejection> {
        Ok(Self(open(parts).await?))
    }
}
