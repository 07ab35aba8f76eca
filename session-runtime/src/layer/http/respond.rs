//! Writes the end of a request into the response's head; decides nothing.

use axum_core::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, HeaderValue, Response};

use super::transport;
use crate::cookie::Connection;
use crate::layer::driver::Ending;
use crate::layer::error::SessionError;
use crate::layer::events;
use crate::layer::request::RequestSession;
use crate::protocol::Token;
use crate::token::Way;

/// Gives a response what the end of its request has to say.
pub(in crate::layer) fn respond(
    response: Response<Body>,
    ending: Ending,
    session: &RequestSession,
) -> Response<Body> {
    let Ending { token, instead } = ending;
    let config = &session.config;
    let mut response = match instead {
        Some(error) => in_place(&error, session),
        None => response,
    };
    let headers = response.headers_mut();
    if session.is_asked() {
        headers.append(VARY, config.vary.clone());
    }
    if token == Token::Keep {
        return response;
    }
    let (way, connection, has_former_cookie) = session.way();
    if let Some(value) = header(token, session, way, connection) {
        forbid_caching(headers);
        let goes = has_former_cookie && way == Way::Cookie;
        // First, as a browser takes the last one of a scope.
        for former in config.former.iter().filter(|_| goes) {
            config
                .transport
                .write(way, former.removal(connection), headers);
        }
        let name = config.transport.write(way, value.clone(), headers);
        session.tell_outside(&name, &value);
    }
    response
}

/// The value that gives the visitor a token, or takes it away.
fn header(
    token: Token,
    session: &RequestSession,
    way: Way,
    connection: Connection,
) -> Option<HeaderValue> {
    let config = &session.config;
    match (token, way) {
        (Token::Keep, _) => None,
        (Token::Remove, Way::Header) => Some(transport::removal()),
        (Token::Remove, Way::Cookie) => Some(session.cookie(connection)?.0.writer.removal()),
        (Token::Give { id, .. }, Way::Header) => Some(transport::value(&id, &config.tokens)),
        (Token::Give { id, ends }, Way::Cookie) => {
            let (cookie, connection) = session.cookie(connection)?;
            let writer = &cookie.writer;
            let lifetime = config.cookie_lifetime(ends);
            let sends = config.sends(writer, connection);
            sends.then(|| writer.set(&id, &config.tokens, lifetime))
        }
    }
}

/// Replaces the handler's own headers: a cache must not give this visitor's token to another one.
fn forbid_caching(headers: &mut HeaderMap) {
    // A cache that a field is targeted at, as `CDN-Cache-Control`, heeds no other (RFC 9213, section 2.2).
    let is_targeted = |name: &&HeaderName| {
        let name = name.as_str();
        // Two older headers are targeted as well.
        name.ends_with("-cache-control") || matches!(name, "surrogate-control" | "x-accel-expires")
    };
    let targeted: Vec<_> = headers.keys().filter(is_targeted).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The response that takes the handler's place. It has neither the handler's body nor its headers, as what they
/// say has not happened; but it has the tokens of the layers further in, whose sessions are stored.
fn in_place(error: &SessionError, session: &RequestSession) -> Response<Body> {
    if error.status().is_server_error() {
        events::not_stored(session.key(), error);
    }
    let mut response = Response::new(Body::from(error.public_message()));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in session.told_inside() {
        headers.append(name, value);
    }
    response
}
