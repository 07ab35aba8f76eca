use http::HeaderValue;

use super::*;
use crate::id::SessionId;
use crate::secret::{KeyRing, Secret};
use crate::token::tests::{Verdict, verdict};
use crate::token::{TokenFormat, Tokens, Way};

mod duplicates;
mod names;

const NAME: &str = "__Host-sid";

fn secret(byte: u8) -> Secret {
    Secret::try_from([byte; 32].as_slice()).unwrap()
}

/// A ring of two secrets, and the rings of each alone.
fn rings() -> [Tokens; 3] {
    [
        KeyRing::new(NAME, &secret(1), &[secret(2)]),
        KeyRing::new(NAME, &secret(1), &[]),
        KeyRing::new(NAME, &secret(2), &[]),
    ]
    .map(|keys| Tokens::new(keys, TokenFormat::Plain))
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
fn presented(headers: &HeaderMap, name: &str, tokens: &Tokens) -> Verdict {
    judge(values(headers, name), tokens)
}

fn judge<'v>(values: impl Iterator<Item = &'v [u8]>, tokens: &Tokens) -> Verdict {
    let candidates = values.map(|value| (Way::Cookie, value));
    verdict(tokens, candidates).0
}

#[test]
fn other_spellings_of_a_token_are_no_candidates() {
    let [ring, ..] = rings();
    let token = ring.token(&id(7));
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
            Verdict::Nothing,
            "{value}"
        );
    }
}

#[test]
fn a_request_without_cookies_presents_nothing() {
    let [ring, ..] = rings();
    assert_eq!(presented(&HeaderMap::new(), NAME, &ring), Verdict::Nothing);
    assert_eq!(presented(&cookies([""]), NAME, &ring), Verdict::Nothing);
}
