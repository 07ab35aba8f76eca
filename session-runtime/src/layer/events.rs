//! Writes every event of a session's life to the log, by its public handle and never by an id, a key, a
//! token or a value.
//!
//! The course of a life is `info`. Signs of an attack or of a doubtful setting are `warn`. A 5xx, a loss,
//! and a mistake of the program are `error`.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::error::SessionError;
use crate::id::StoreKey;
use crate::protocol::{Event, Lent, Reader, Refusal};
use crate::store::StoreError;

/// The target that users filter by: the crate that they know.
const TARGET: &str = "sessile";

/// Logs an event of the machine.
pub(super) fn say(event: &Event, error: Option<&StoreError>, max: Option<usize>) {
    match event {
        Event::Created(session) => {
            info!(target: TARGET, session = %session.public(), "a session was created");
        }
        // The log of a session can be followed from one handle to the next.
        Event::Rotated { from, to } => info!(
            target: TARGET, session = %to.public(), old = %from.public(), "a session has a new id"
        ),
        Event::Destroyed(session) => {
            info!(target: TARGET, session = %session.public(), "a session was destroyed");
        }
        // By its owner, or by whoever speaks for them.
        Event::Revoked(session) => {
            info!(target: TARGET, session = %session.public(), "a session was revoked");
        }
        Event::Evicted(session) => info!(
            target: TARGET, session = %session.public(), max,
            "a session was evicted: its owner has too many"
        ),
        Event::NotEvicted => warn!(
            target: TARGET, max,
            "an owner keeps more sessions than allowed: they change their ids too fast"
        ),
        // Nobody has learned of its id.
        Event::Withdrawn(session, why) => info!(
            target: TARGET, session = %session.public(), error = refusal(why, error),
            "a sign-in was withdrawn"
        ),
        // Nobody knows which of the three it was: the store remembers no dead session.
        Event::NotFound(session) => info!(
            target: TARGET, session = %session.public(),
            "a genuine token opens no session: it has expired, was destroyed, or has a new id"
        ),
        // The store still has it, by the timeouts of an earlier configuration.
        Event::Expired(session) => info!(
            target: TARGET, session = %session.public(),
            "a session has expired by the timeouts of today, sooner than by those it was stored with"
        ),
        Event::Ambiguous => warn!(
            target: TARGET,
            "a request carries tokens of two different live sessions: neither counts until the visitor signs in or out"
        ),
        // A request that had loaded a session finds it gone.
        Event::Gone(session, before) => info!(
            target: TARGET, session = %session.public(), "a session had ended before {before}"
        ),
        Event::Conflict(session) => debug!(
            target: TARGET, session = %session.public(),
            "another request has changed the session since: merging, and trying again"
        ),
        Event::Contended(session, attempts) => warn!(
            target: TARGET, session = handle(*session), attempts,
            "a session was not stored: others kept changing it"
        ),
        // The cookie may be of the old id, or of the new one.
        Event::InDoubt(session, why) => warn!(
            target: TARGET, session = handle(*session), error = refusal(why, error),
            "nobody can tell whether a session has a new id"
        ),
        Event::EndIsPast => error!(
            target: TARGET,
            "a session cannot be stored, as its end is past: the cookie's `expires`, or the absolute timeout"
        ),
        Event::NothingToRenew => warn!(
            target: TARGET,
            "`renew` had no effect: the visitor has no session, and nothing was put into one"
        ),
        Event::Broken(session, what) => error!(
            target: TARGET, session = %session.public(),
            "the store breaks its contract: it answers {what}"
        ),
        Event::StillLent(session, Lent { name, at, .. }) => error!(
            target: TARGET, session = handle(*session), data = name, lent_at = %at,
            "a `Session` that was lent as `&mut` is still in use as the response goes, so its changes are lost: drop it, \
             or store it by `Session::save`"
        ),
    }
}

fn refusal(why: &Refusal, error: Option<&StoreError>) -> tracing::field::DisplayValue<String> {
    let text = match (why, error) {
        (Refusal::Store, Some(error)) => with_sources(error),
        (why, _) => SessionError::new(why.clone(), None).to_string(),
    };
    tracing::field::display(text)
}

/// A struct is read while a view of it is changed elsewhere in the request.
pub(super) fn overlooked(session: Option<StoreKey>, lent: &Lent) {
    let Lent {
        name, at, read_by, ..
    } = lent;
    let read_at = match read_by {
        Some(Reader::At(place)) => place.to_string(),
        Some(Reader::Extractor) | None => "an extractor".to_owned(),
    };
    error!(
        target: TARGET, session = handle(session), data = name, lent_at = %at, read_at,
        "a part of the request has read a struct without a change that another part had made: drop the \
         changed `Session`, or store it by `Session::save`, before the other part runs"
    );
}

/// A part of the handler has panicked, or a task that it has begun.
pub(super) fn unwound(session: Option<StoreKey>) {
    error!(
        target: TARGET, session = handle(session),
        "changes of a session are dropped, as a part of the request that held it has panicked"
    );
}

/// Two layers of one name are around one route, and both were used.
pub(super) fn stood_aside(session: Option<StoreKey>) {
    error!(
        target: TARGET, session = handle(session),
        "changes of a session are dropped, as a layer of the same cookie name further in has answered: give each \
         layer a name of its own"
    );
}

/// Work is left undone, as its caller has gone.
pub(super) fn no_runtime(session: Option<StoreKey>, done: &str) {
    error!(
        target: TARGET, session = handle(session),
        "a session is not {done}: its response was sent, and no runtime is here"
    );
}

pub(super) fn forged() {
    warn!(target: TARGET, "a session token carries a tag that no secret made");
}

pub(super) fn dropped_by_browsers() {
    warn!(
        target: TARGET,
        "a `Secure` session cookie goes out over plain http to a host that is not loopback, so \
         browsers drop it: serve https, or name the proxy that does by `trusted_proxy`"
    );
}

pub(super) fn withheld() {
    warn!(
        target: TARGET,
        "a `Secure` session cookie does not go out over plain http, as none does from Express: serve https, \
         name the proxy that does by `trusted_proxy`, or choose `Secure::Auto`"
    );
}

/// At most once a minute, and only where there was something to free.
pub(super) fn swept(freed: usize, batches: u32, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    info!(target: TARGET, freed, batches, took_ms, "expired sessions were freed");
}

pub(super) fn not_swept(error: &StoreError) {
    warn!(
        target: TARGET, error = source(error),
        "expired sessions could not be swept: trying again in a minute"
    );
}

/// A view changed what was taken out of the session afterwards.
pub(super) fn taken_out(session: Option<StoreKey>, data: &str) {
    warn!(
        target: TARGET, session = handle(session), data,
        "a change is dropped: what it changed was taken out of the session, or replaced"
    );
}

/// The answer to the request says so too, unless its handler has ended the session itself.
pub(crate) fn refused(session: Option<StoreKey>, data: &str, error: &SessionError) {
    debug!(
        target: TARGET, session = handle(session), data, error = source(error),
        "a change of a session is dropped"
    );
}

pub(super) fn too_late(session: Option<StoreKey>, data: &str) {
    error!(
        target: TARGET, session = handle(session), data,
        "a session was changed after its response was sent, the change is lost: use \
         `SessionHandle::update`"
    );
}

pub(super) fn no_effect(session: Option<StoreKey>, method: &str) {
    error!(
        target: TARGET, session = handle(session), method,
        "a session's response has been sent: this has no effect any more"
    );
}

pub(super) fn not_destroyed(session: Option<StoreKey>, error: &SessionError) {
    error!(
        target: TARGET, session = handle(session), error = source(error),
        "a session could not be destroyed after its response was sent"
    );
}

pub(super) fn not_revoked(error: &SessionError) {
    error!(
        target: TARGET, error = source(error),
        "sessions could not be revoked, and their caller has gone away"
    );
}

/// An error of the server takes the place of a response.
pub(crate) fn not_stored(session: Option<StoreKey>, error: &SessionError) {
    error!(
        target: TARGET, session = handle(session), error = source(error),
        "a session was not stored"
    );
}

pub(crate) fn not_given(error: &(dyn Error + 'static)) {
    error!(target: TARGET, error, "a handler got no session");
}

/// The visitor is told nothing of the inside, the log is.
pub(crate) fn absent(data: &str) {
    debug!(
        target: TARGET, data,
        "a session does not hold this: `SessionHandle::insert` puts it in"
    );
}

fn handle(session: Option<StoreKey>) -> Option<tracing::field::DisplayValue<impl Display>> {
    session.map(|session| tracing::field::display(session.public()))
}

/// With the errors that caused it, in one line.
fn with_sources(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// With the errors that caused it, for a log that shows them.
fn source<'e>(error: &'e (impl Error + 'static)) -> &'e (dyn Error + 'static) {
    error
}
