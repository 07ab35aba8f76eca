use http::HeaderValue;

use super::*;
use crate::id::SessionId;
use crate::secret::{KeyRing, Secret};
use crate::token::{self, Presented, Way, token};

mod duplicates;
mod names;

const NAME: &str = "__Host-sid";

fn secret(byte: u8) -> Secret {
    Secret::try_from([byte; 32].as_slice()).unwrap()
}

/// A ring of two secrets, and the rings of each alone.
fn rings() -> [KeyRing; 3] {
    [
        KeyRing::new(NAME, &secret(1), &[secret(2)]),
        KeyRing::new(NAME, &secret(1), &[]),
        KeyRing::new(NAME, &secret(2), &[]),
    ]
}

fn id(byte: u8) -> SessionId {
    SessionId::from_bytes([byte; 24])
}

fn cookies<B: AsRef<[u8]>>(lines: impl IntoIterator<Item = B>) -> HeaderMap {
    let line = |bytes: B| HeaderValue::from_bytes(bytes.as_ref()).unwrap();
    let lines = lines.into_iter().map(|bytes| (COOKIE, line(bytes)));
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name, value);
    }
    headers
}

/// What the cookies of this name say.
fn presented(headers: &HeaderMap, name: &str, keys: &KeyRing) -> Presented {
    judge(values(headers, name), keys)
}

fn judge<'v>(values: impl Iterator<Item = &'v [u8]>, keys: &KeyRing) -> Presented {
    token::judge(values.map(|value| (Way::Cookie, value)), keys).presented
}

#[test]
fn other_spellings_of_a_token_are_no_candidates() {
    let [ring, ..] = rings();
    let token = token(&id(7), &ring);
    let (last, next) = ("AEIMQUYcgkosw048", "BFJNRVZdhlptx159");
    let end = token.chars().last().unwrap();
    let spare = next.chars().nth(last.find(end).unwrap()).unwrap();
    let mut non_canonical = token.clone();
    non_canonical.pop();
    non_canonical.push(spare);
    for value in [
        non_canonical,
        format!("\"{token}\""),
        format!("{token}="),
        format!("{token},"),
        format!("s%3A{token}"),
        token.replace('.', "%2E"),
        token.replace('.', ","),
    ] {
        let headers = cookies([format!("{NAME}={value}")]);
        assert_eq!(
            presented(&headers, NAME, &ring),
            Presented::Nothing,
            "{value}"
        );
    }
}

#[test]
fn a_request_without_cookies_presents_nothing() {
    let [ring, ..] = rings();
    assert_eq!(
        presented(&HeaderMap::new(), NAME, &ring),
        Presented::Nothing
    );
    assert_eq!(presented(&cookies([""]), NAME, &ring), Presented::Nothing);
}
