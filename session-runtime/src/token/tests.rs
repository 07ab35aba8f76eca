use super::*;
use crate::secret::Secret;

const NAME: &str = "__Host-sid";

/// What the values of a request say, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Nothing,
    Forged,
    /// Genuine tokens of different sessions.
    Several,
    Token {
        id: SessionId,
        signer: Signer,
    },
}

/// Judges values in their order, and says by which way the genuine ones came.
pub(crate) fn verdict<'v>(
    tokens: &Tokens,
    values: impl Iterator<Item = (Way, &'v [u8])>,
) -> (Verdict, Option<Way>) {
    let mut presented = Presented::default();
    for (way, value) in values {
        tokens.judge(&mut presented, way, std::iter::once(value), false);
    }
    let way = presented.way;
    let are_several = presented.candidates.are_several();
    let verdict = match presented.candidates.pop() {
        Some(_) if are_several => Verdict::Several,
        Some(Candidate { id, is_stale: true }) => Verdict::Token {
            id,
            signer: Signer::Previous,
        },
        Some(Candidate { id, .. }) => Verdict::Token {
            id,
            signer: Signer::First,
        },
        None if presented.has_forged => Verdict::Forged,
        None => Verdict::Nothing,
    };
    (verdict, way)
}

fn secret(byte: u8) -> Secret {
    Secret::try_from([byte; 32].as_slice()).unwrap()
}

fn plain(name: &str, first: u8, previous: &[u8]) -> Tokens {
    let previous: Vec<_> = previous.iter().copied().map(secret).collect();
    let keys = KeyRing::new(name, &secret(first), &previous);
    Tokens::new(keys, TokenFormat::Plain)
}

fn tokens() -> Tokens {
    plain(NAME, 1, &[2])
}

fn id(byte: u8) -> SessionId {
    SessionId::from_bytes([byte; 24])
}

fn is_refused(token: &[u8], tokens: &Tokens) -> bool {
    matches!(
        verdict(tokens, [(Way::Header, token)].into_iter()).0,
        Verdict::Nothing | Verdict::Forged
    )
}

#[test]
fn a_token_is_the_id_a_dot_and_the_tag() {
    let tokens = tokens();
    let token = tokens.token(&id(7));
    let (text, tag) = token.split_once('.').unwrap();
    assert_eq!(text.as_bytes(), id(7).as_bytes());
    assert_eq!(
        tag.as_bytes(),
        tokens.keys.sign(id(7).as_bytes()).encode(Alphabet::UrlSafe)
    );
}

#[test]
fn only_the_exact_token_verifies() {
    let tokens = tokens();
    let strangers = [
        plain("sid", 1, &[2]),
        plain("__Host-sid2", 1, &[]),
        plain(NAME, 3, &[4]),
    ];
    for n in 0..100 {
        let token = tokens.token(&SessionId::from_bytes([n; 24])).into_bytes();
        assert!(!is_refused(&token, &tokens));
        for stranger in &strangers {
            assert!(is_refused(&token, stranger));
        }
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(is_refused(&flipped, &tokens), "bit {bit}");
        }
        for len in 0..token.len() {
            assert!(is_refused(&token[..len], &tokens), "{len} from the start");
            assert!(is_refused(&token[len + 1..], &tokens), "{len} from the end");
        }
    }
}

#[test]
fn the_fifth_well_formed_candidate_is_ignored() {
    let tokens = tokens();
    let valid = tokens.token(&id(7)).into_bytes();
    let forged = [[b'x'; 32].as_slice(), b".", &[b'A'; 43]].concat();
    let after = |count| {
        let values = std::iter::repeat_n(forged.as_slice(), count).chain([valid.as_slice()]);
        let values = values.map(|value| (Way::Cookie, value));
        verdict(&tokens, values).0
    };
    let signer = Signer::First;
    assert_eq!(after(3), Verdict::Token { id: id(7), signer });
    assert_eq!(after(4), Verdict::Forged);
}

#[test]
fn a_genuine_token_in_a_cookie_is_answered_by_cookie() {
    let tokens = tokens();
    let [one, two] = [1, 2].map(|byte| tokens.token(&id(byte)).into_bytes());
    let forged = [[b'x'; 32].as_slice(), b".", &[b'A'; 43]].concat();
    let way = |candidates: &[(Way, &[u8])]| verdict(&tokens, candidates.iter().copied()).1;
    let (header, cookie) = (Way::Header, Way::Cookie);
    assert_eq!(way(&[]), None);
    assert_eq!(way(&[(cookie, &forged), (header, b"garbage")]), None);
    assert_eq!(way(&[(header, &one), (cookie, &forged)]), Some(header));
    for other in [&one, &two] {
        assert_eq!(way(&[(header, &one), (cookie, other)]), Some(cookie));
        assert_eq!(way(&[(cookie, other), (header, &one)]), Some(cookie));
    }
}

fn escaped(key: &str) -> Tokens {
    let keys = KeyRing::unbound(key.as_bytes(), std::iter::empty());
    Tokens::new(keys, TokenFormat::Escaped)
}

/// An id and what the npm package `cookie-signature` makes of it: a tag with both characters that are escaped.
const SIGNED_BY_NODE: (&str, &str) = (
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb3",
    "s%3Abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb3.",
);

#[test]
fn an_escaped_token_is_escaped_as_javascript_does() {
    let tokens = escaped("keyboard cat");
    let id = SessionId::parse(SIGNED_BY_NODE.0.as_bytes()).unwrap();
    let token = tokens.token(&id);
    let tag = token.strip_prefix(SIGNED_BY_NODE.1).unwrap();
    let raw = tokens
        .keys
        .sign(SIGNED_BY_NODE.0.as_bytes())
        .encode(Alphabet::Standard);
    let raw = str::from_utf8(&raw).unwrap();
    assert_eq!(tag, raw.replace('+', "%2B").replace('/', "%2F"));
    let presented = |token: &str| {
        let candidates = [(Way::Cookie, token.as_bytes())];
        verdict(&tokens, candidates.into_iter()).0
    };
    let signer = Signer::First;
    // However it is escaped.
    let plain = format!("s:{}.{raw}", SIGNED_BY_NODE.0);
    for spelling in [
        &token,
        &token.to_lowercase().replace(&tag.to_lowercase(), tag),
        &plain,
    ] {
        assert_eq!(
            presented(spelling),
            Verdict::Token { id, signer },
            "{spelling}"
        );
    }
    // Unsigned, or cut off, or of ours.
    for other in [
        plain.trim_start_matches("s:"),
        SIGNED_BY_NODE.0,
        token.strip_suffix(|_: char| true).unwrap(),
        &format!("{plain}A"),
        &format!("{plain}%"),
        &format!("{plain}%4"),
        &format!("%{plain}"),
        &"%41".repeat(100),
    ] {
        assert_eq!(presented(other), Verdict::Nothing, "{other}");
    }
}

#[test]
fn only_the_token_of_the_same_secret_verifies_escaped_too() {
    let tokens = escaped("keyboard cat");
    let id = SessionId::from_bytes([9; 24]);
    let token = tokens.token(&id);
    for stranger in [escaped("keyboard cau"), escaped("k"), self::tokens()] {
        assert!(is_refused(token.as_bytes(), &stranger));
    }
    for bit in 0..token.len() * 8 {
        let mut flipped = token.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // A digit of an escape has two spellings.
        let same = flipped.eq_ignore_ascii_case(token.as_bytes())
            && flipped[..bit / 8].ends_with(b"%2")
            || flipped[..bit / 8].ends_with(b"s%3");
        let same = same && flipped.eq_ignore_ascii_case(token.as_bytes());
        assert_eq!(is_refused(&flipped, &tokens), !same, "bit {bit}");
    }
}
