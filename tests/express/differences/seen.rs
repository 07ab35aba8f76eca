//! What a request did, as far as two sides can be held against each other: without ids and times.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::raw::Entry;
use crate::support::Answer;

/// In what two sides may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Status and body.
    Answer,
    /// Whether a cookie is set.
    Presence,
    /// The attributes of the cookies that both set.
    Attributes,
    /// Whether the cookie has another id than before.
    Id,
    /// How many records there are more.
    Count,
    /// The record of the visitor's cookie.
    Record,
    /// How long it lives.
    Ttl,
}

#[derive(Debug)]
pub(crate) struct Seen {
    answer: (u16, Value),
    cookie: Option<String>,
    has_new_id: bool,
    grown: i128,
    record: Option<(Value, Value)>,
    ttl: Option<u64>,
}

impl Seen {
    /// Of what was answered, how many records there were before and after, and the visitor's record.
    pub(crate) fn new(
        answer: &Answer,
        (before, after): (u64, u64),
        has_new_id: bool,
        entry: Option<&Entry>,
    ) -> Self {
        let cookies = answer.set_cookies();
        assert!(cookies.len() < 2, "{cookies:?}");
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        Self {
            answer: (answer.status.as_u16(), body),
            cookie: cookies.first().map(|set| attributes(set)),
            has_new_id,
            grown: i128::from(after) - i128::from(before),
            record: entry.map(|it| (it.fields().into(), without_times(it.cookie()))),
            // Minutes, as it takes less than half of one to look.
            ttl: entry.map(|it| (it.seconds() + 30) / 60),
        }
    }

    /// All in which another one is otherwise.
    pub(crate) fn differing(&self, other: &Self) -> Vec<What> {
        let both_set = self.cookie.is_some() && other.cookie.is_some();
        let both_stored = self.record.is_some() && other.record.is_some();
        let pairs = [
            (What::Answer, self.answer != other.answer),
            (
                What::Presence,
                self.cookie.is_some() != other.cookie.is_some(),
            ),
            (What::Attributes, both_set && self.cookie != other.cookie),
            (What::Id, self.has_new_id != other.has_new_id),
            (What::Count, self.grown != other.grown),
            (What::Record, self.record != other.record),
            (What::Ttl, both_stored && self.ttl != other.ttl),
        ];
        let differing = pairs.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(what, _)| what).collect()
    }
}

/// The attributes of a cookie that is set, with what is left in the place of the time.
fn attributes(set: &str) -> String {
    let attributes = set.split("; ").skip(1);
    let attributes: Vec<_> = attributes
        .map(|attribute| match attribute.strip_prefix("Expires=") {
            Some(date) => format!("Expires={}", left(httpdate::parse_http_date(date).unwrap())),
            None => attribute.to_owned(),
        })
        .collect();
    attributes.join("; ")
}

/// The `cookie` of a record, with what is left in the place of the time.
fn without_times(mut cookie: Map<String, Value>) -> Value {
    if let Some(date) = cookie["expires"].as_str() {
        assert_eq!(date.len(), "2026-11-23T08:34:21.267Z".len(), "{date}");
        let at = OffsetDateTime::parse(date, &Rfc3339).unwrap();
        cookie["expires"] = left(at.into()).into();
    }
    // Express takes a millisecond off where it computes one.
    if let Some(age) = cookie["originalMaxAge"].as_u64() {
        cookie["originalMaxAge"] = (age.div_ceil(1000) * 1000).into();
    }
    // What is not set is `false`, but for this one.
    cookie.retain(|key, value| key == "httpOnly" || *value != Value::Bool(false));
    cookie.into()
}

/// In minutes, as it takes less than half of one to look.
fn left(until: SystemTime) -> String {
    match until.duration_since(SystemTime::now()) {
        Ok(left) => format!("in {} min", (left + Duration::from_secs(30)).as_secs() / 60),
        Err(_) => "past".to_owned(),
    }
}
