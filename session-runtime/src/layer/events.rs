//! What is said in the log of a session's life, all of it: by its public handle, and never by an id, a
//! key, a token or a value.
//!
//! What a life consists of is `info`, what looks like an attack, or like a mistake of the program, is
//! `warn`, and what a visitor was answered 5xx for, or has lost, is `error`.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::error::SessionError;
use crate::id::StoreKey;
use crate::store::StoreError;

/// What users filter by: the crate they know, whatever it is made of.
const TARGET: &str = "sessile";

pub(super) fn created(session: StoreKey) {
    info!(target: TARGET, session = %session.public(), "a session was created");
}

/// The log of a session can be followed from one handle to the next.
pub(super) fn rotated(old: StoreKey, session: StoreKey) {
    info!(target: TARGET, session = %session.public(), old = %old.public(), "a session has a new id");
}

pub(super) fn destroyed(session: StoreKey) {
    info!(target: TARGET, session = %session.public(), "a session was destroyed");
}

/// By its owner, or by who speaks for them.
pub(super) fn revoked(session: StoreKey) {
    info!(target: TARGET, session = %session.public(), "a session was revoked");
}

pub(super) fn evicted(session: StoreKey, max: usize) {
    info!(
        target: TARGET, session = %session.public(), max,
        "a session was evicted: its owner has too many"
    );
}

pub(super) fn not_evicted(max: usize) {
    warn!(
        target: TARGET, max,
        "an owner keeps more sessions than allowed: they change their ids too fast"
    );
}

/// A sign-in came too late, or is one too many; nobody has learned of its id.
pub(super) fn withdrawn(session: StoreKey, error: &SessionError) {
    info!(
        target: TARGET, session = %session.public(), error = source(error),
        "a sign-in was withdrawn"
    );
}

/// Nobody knows which of the three it was: the store remembers no dead session.
pub(super) fn not_found(session: StoreKey) {
    info!(
        target: TARGET, session = %session.public(),
        "a genuine token opens no session: it has expired, was destroyed, or has a new id"
    );
}

/// The store still has it, by the timeouts of an earlier configuration.
pub(super) fn expired(session: StoreKey) {
    info!(
        target: TARGET, session = %session.public(),
        "a session has expired by the timeouts of today, sooner than by those it was stored with"
    );
}

/// A request that had loaded a session finds it gone, `before` it could do this.
pub(super) fn gone(session: StoreKey, before: &str) {
    info!(target: TARGET, session = %session.public(), "a session had ended before {before}");
}

pub(super) fn forged() {
    warn!(target: TARGET, "a session token carries a tag that no secret made");
}

pub(super) fn ambiguous() {
    warn!(
        target: TARGET,
        "a request carries two different valid session tokens: neither counts"
    );
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

pub(super) fn conflict(session: StoreKey) {
    debug!(
        target: TARGET, session = %session.public(),
        "another request has changed the session since: merging, and trying again"
    );
}

pub(super) fn contended(session: Option<StoreKey>, attempts: u32) {
    warn!(
        target: TARGET, session = handle(session), attempts,
        "a session was not stored: others kept changing it"
    );
}

/// The cookie may be of the old id, or of the new one.
pub(super) fn in_doubt(session: Option<StoreKey>, error: &SessionError) {
    warn!(
        target: TARGET, session = handle(session), error = source(error),
        "nobody can tell whether a session has a new id"
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
pub(super) fn refused(session: Option<StoreKey>, data: &str, error: &SessionError) {
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

pub(super) fn cannot_destroy(session: Option<StoreKey>) {
    error!(
        target: TARGET, session = handle(session),
        "a session is not destroyed: its response was sent, and no runtime is here"
    );
}

pub(super) fn not_destroyed(session: Option<StoreKey>, error: &SessionError) {
    error!(
        target: TARGET, session = handle(session), error = source(error),
        "a session could not be destroyed after its response was sent"
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

/// With the errors that caused it, for a log that shows them.
fn source<'e>(error: &'e (impl Error + 'static)) -> &'e (dyn Error + 'static) {
    error
}
