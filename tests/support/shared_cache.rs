//! A shared cache as RFC 9111 allows it to be, and as greedy as it allows: it keeps whatever it may
//! and reuses it for as long as it may; it knows nothing of sessions.
//!
//! It takes directives that are targeted at it (RFC 9213). It asks by `GET` alone, and asks the
//! origin again where it would have to validate: reuse is what could leak.
#![allow(unreachable_pub, reason = "it is a module of a test")]

use std::time::{Duration, SystemTime};

use http::header::{CACHE_CONTROL, EXPIRES, HeaderName, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::support::Answer;

/// Where nobody says how long, a cache may guess, and no bound is set (section 4.2.2).
const GUESS: Duration = Duration::from_hours(24 * 365);

/// The field that speaks to caches of a delivery network (RFC 9213, section 3).
const TARGETED: HeaderName = HeaderName::from_static("cdn-cache-control");

#[derive(Default)]
pub struct SharedCache(Vec<Entry>);

struct Entry {
    path: String,
    /// What the request said in the fields that `Vary` names, or nothing if it says `*`.
    selected: Option<Vec<(HeaderName, Vec<HeaderValue>)>>,
    kept: SystemTime,
    lifetime: Duration,
    answer: Answer,
}

impl SharedCache {
    /// What may be answered without asking the origin (section 4).
    pub fn find(&self, path: &str, request: &HeaderMap, now: SystemTime) -> Option<&Answer> {
        let found = self.0.iter().find(|entry| {
            let age = now.duration_since(entry.kept).unwrap_or_default();
            entry.path == path && entry.is_selected_by(request) && age < entry.lifetime
        });
        found.map(|entry| &entry.answer)
    }

    /// Keeps what the origin answered, if it may (section 3).
    pub fn keep(&mut self, path: &str, request: &HeaderMap, answer: &Answer, now: SystemTime) {
        let Some(lifetime) = lifetime(answer, now) else {
            return;
        };
        self.0
            .retain(|entry| entry.path != path || !entry.is_selected_by(request));
        self.0.push(Entry {
            path: path.to_owned(),
            selected: selected(&answer.headers, request),
            kept: now,
            lifetime,
            answer: answer.clone(),
        });
    }
}

impl Entry {
    /// Section 4.1.
    fn is_selected_by(&self, request: &HeaderMap) -> bool {
        let says = |name: &HeaderName| request.get_all(name).iter();
        self.selected
            .as_ref()
            .is_some_and(|fields| fields.iter().all(|(name, values)| says(name).eq(values)))
    }
}

fn selected(
    answer: &HeaderMap,
    request: &HeaderMap,
) -> Option<Vec<(HeaderName, Vec<HeaderValue>)>> {
    list(answer, &VARY)
        .map(|name| {
            let name = HeaderName::try_from(name).ok()?;
            let values = request.get_all(&name).iter().cloned().collect();
            (name != "*").then_some((name, values))
        })
        .collect()
}

/// How long an answer may be reused, if it may be kept at all (sections 3 and 4.2.1).
fn lifetime(answer: &Answer, now: SystemTime) -> Option<Duration> {
    let headers = &answer.headers;
    let is_targeted = headers.contains_key(TARGETED);
    let field = if is_targeted { TARGETED } else { CACHE_CONTROL };
    let says = |name: &str| list(headers, &field).any(|directive| directive == name);
    let seconds = |name: &str| {
        let said = list(headers, &field).find_map(|directive| {
            let (known, value) = directive.split_once('=')?;
            (known == name).then(|| value.to_owned())
        });
        said.map(|value| Duration::from_secs(value.parse().unwrap_or(0)))
    };
    if says("no-store") || says("private") || says("no-cache") {
        return None;
    }
    let expires = || {
        let date = headers.get(EXPIRES).filter(|_| !is_targeted)?;
        let at = httpdate::parse_http_date(date.to_str().ok()?);
        let left = at.ok().and_then(|at| at.duration_since(now).ok());
        Some(left.unwrap_or_default())
    };
    let guess = || (says("public") || guessable(answer.status)).then_some(GUESS);
    seconds("s-maxage")
        .or_else(|| seconds("max-age"))
        .or_else(expires)
        .or_else(guess)
}

/// The statuses that are cacheable though nothing says so (RFC 9110, section 15.1).
fn guessable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// The members of a list, in lower case.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|member| member.trim().to_ascii_lowercase())
}
