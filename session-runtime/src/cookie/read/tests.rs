use http::HeaderValue;

use super::*;
use crate::secret::Secret;

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

fn is_refused(token: &[u8], keys: &KeyRing) -> bool {
    matches!(
        judge([token].into_iter(), keys),
        Presented::Nothing | Presented::Forged
    )
}

#[test]
fn a_token_is_the_id_a_dot_and_the_tag() {
    let [ring, ..] = rings();
    let token = token(&id(7), &ring);
    let (text, tag) = str::from_utf8(&token).unwrap().split_once('.').unwrap();
    assert_eq!(text.as_bytes(), id(7).as_bytes());
    assert_eq!(tag.as_bytes(), ring.sign(id(7).as_bytes()).encode());
}

#[test]
fn only_the_exact_token_verifies() {
    let [ring, ..] = rings();
    let strangers = [
        KeyRing::new("sid", &secret(1), &[secret(2)]),
        KeyRing::new("__Host-sid2", &secret(1), &[]),
        KeyRing::new(NAME, &secret(3), &[secret(4)]),
    ];
    for n in 0..100 {
        let token = token(&SessionId::from_bytes([n; 24]), &ring);
        assert!(!is_refused(&token, &ring));
        for stranger in &strangers {
            assert!(is_refused(&token, stranger));
        }
        for bit in 0..token.len() * 8 {
            let mut flipped = token;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(is_refused(&flipped, &ring), "bit {bit}");
        }
        for len in 0..token.len() {
            assert!(is_refused(&token[..len], &ring), "{len} from the start");
            assert!(is_refused(&token[len + 1..], &ring), "{len} from the end");
        }
    }
}

#[test]
fn other_spellings_of_a_token_are_no_candidates() {
    let [ring, ..] = rings();
    let token = String::from_utf8(token(&id(7), &ring).to_vec()).unwrap();
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
