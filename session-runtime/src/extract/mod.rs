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
use crate::data::{self, Baseline, SessionData, Shape};
use crate::layer::{NameTaken, Read, RequestSession, SessionError, events};
use crate::protocol::{Place, Refusal};
use crate::record::Fields;

/// Finds the session that the layer has put into the request, and loads it if nobody has.
async fn open(parts: &Parts) -> Result<Arc<RequestSession>, SessionRejection> {
    let session = found(parts)?;
    let opened = session.open(&parts.uri, &parts.headers, None).await;
    opened.map_err(SessionRejection::of_opening)?;
    Ok(Arc::clone(session))
}

/// As [`open`], and reads `T` as it stands then, with its generation: `None` where a required field is absent.
async fn open_and_read<T: SessionData>(
    parts: &Parts,
) -> Result<(Arc<RequestSession>, Option<(T, u32)>), SessionRejection> {
    let session = found(parts)?;
    let shape = Shape::of::<T>();
    let read = session.open(&parts.uri, &parts.headers, Some(shape)).await;
    let Read { fields, generation } = read.map_err(SessionRejection::of_opening)?;
    session.config.claim(shape)?;
    let value = data::read(&fields).map(|value| (value, generation));
    Ok((Arc::clone(session), value))
}

fn found(parts: &Parts) -> Result<&Arc<RequestSession>, SessionRejection> {
    let session = parts.extensions.get::<Arc<RequestSession>>();
    let session = session.ok_or(SessionRejection::MissingLayer)?;
    session.check_cookie()?;
    Ok(session)
}

/// Reads `T` as it stands now, with its generation: `None` where a required field is absent.
fn read<T: SessionData>(
    session: &RequestSession,
    at: Place,
) -> Result<Option<(T, u32)>, NameTaken> {
    let shape = Shape::of::<T>();
    session.config.claim(shape)?;
    let Read { fields, generation } = session.fields(shape, at);
    Ok(data::read(&fields).map(|value| (value, generation)))
}

/// Lets `change` loose on the newest stored `T`, and stores what it makes of it.
async fn update<T: SessionData, R: Send>(
    session: &RequestSession,
    mut change: impl FnMut(&mut T) -> R + Send,
) -> Result<(T, R), SessionError> {
    session.config.claim(Shape::of::<T>())?;
    let mut last = None;
    let mut closure = |fields: &Fields| {
        let absent = || Refusal::Absent(std::any::type_name::<T>());
        let mut value = data::read::<T>(fields).ok_or_else(absent)?;
        let before = Baseline::of(&value, fields.clone());
        let answer = change(&mut value);
        let changes = data::changes(&before, &value).map_err(Refusal::Unstorable)?;
        last = Some((value, answer));
        Ok(changes)
    };
    session.update(Shape::of::<T>(), &mut closure).await?;
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
    let (_, value) = open_and_read(parts).await?;
    Ok(value.map(|(value, _)| value))
}
