//! What a handler takes: the live session, a copy of it, or its handle; the only part that knows both
//! the request and the user's types.

mod handle;
mod rejection;
mod session;
mod sessions;

use std::sync::Arc;

use http::request::Parts;

pub use self::handle::SessionHandle;
pub use self::rejection::SessionRejection;
pub use self::session::Session;
pub use self::sessions::{Asked, OwnedSession, Sessions};
use crate::data::{self, SessionData, Shape};
use crate::layer::{NameTaken, RequestSession, SessionError, events};
use crate::record::Fields;

/// Finds the session that the layer has put into the request, and loads it if nobody has.
async fn open(parts: &Parts) -> Result<Arc<RequestSession>, SessionRejection> {
    let session = parts.extensions.get::<Arc<RequestSession>>();
    let session = session.ok_or(SessionRejection::MissingLayer)?;
    session.check_cookie()?;
    session.open(&parts.uri, &parts.headers).await?;
    Ok(Arc::clone(session))
}

/// Reads `T` as it stands now: `None` where a required field is absent.
fn read<T: SessionData>(session: &RequestSession) -> Result<Option<T>, NameTaken> {
    session.config.claim(Shape::of::<T>())?;
    Ok(data::read(&session.fields()))
}

/// Lets `change` loose on the newest stored `T`, and stores what it makes of it.
async fn update<T: SessionData, R: Send>(
    session: &RequestSession,
    mut change: impl FnMut(&mut T) -> R + Send,
) -> Result<(T, R), SessionError> {
    session.config.claim(Shape::of::<T>())?;
    session.refresh().await?;
    let mut last = None;
    let mut last_of_all = |fields: &Fields| {
        let absent = || SessionError::Absent(std::any::type_name::<T>());
        let mut value = data::read::<T>(fields).ok_or_else(absent)?;
        let before = data::encode(&value, fields.size());
        let answer = change(&mut value);
        let changes = data::changes::<T>(&before, &data::encode(&value, before.size()))?;
        last = Some((value, answer));
        Ok(changes)
    };
    session.store(Some(&mut last_of_all)).await?;
    Ok(last.expect("what is stored was changed before"))
}

/// Extracts a copy, for the extractor that the derive generates.
///
/// # Errors
///
/// As [`Session`].
pub async fn copy<T: SessionData>(parts: &mut Parts) -> Result<T, SessionRejection> {
    optional_copy(parts).await?.ok_or_else(absent::<T>)
}

/// The visitor is told nothing of the inside, the log is.
fn absent<T>() -> SessionRejection {
    events::absent(std::any::type_name::<T>());
    SessionRejection::Absent
}

/// Extracts a copy where there is one, for the extractor that the derive generates.
///
/// # Errors
///
/// As [`Session`], but that an absent struct is `None`.
pub async fn optional_copy<T: SessionData>(
    parts: &mut Parts,
) -> Result<Option<T>, SessionRejection> {
    Ok(read(&*open(parts).await?)?)
}
