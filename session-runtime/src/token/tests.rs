use super::*;
use crate::secret::Secret;

const NAME: &str = "__Host-sid";

fn secret(byte: u8) -> Secret {
    Secret::try_from([byte; 32].as_slice()).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(NAME, &secret(1), &[secret(2)])
}

fn id(byte: u8) -> SessionId {
    SessionId::from_bytes([byte; 24])
}

fn is_refused(token: &[u8], keys: &KeyRing) -> bool {
    matches!(
        judge([(Way::Header, token)].into_iter(), keys).presented,
        Presented::Nothing | Presented::Forged
    )
}

#[test]
fn a_token_is_the_id_a_dot_and_the_tag() {
    let ring = ring();
    let token = token(&id(7), &ring);
    let (text, tag) = token.split_once('.').unwrap();
    assert_eq!(text.as_bytes(), id(7).as_bytes());
    assert_eq!(
        tag.as_bytes(),
        ring.sign(id(7).as_bytes()).encode(Wire::Native)
    );
}

#[test]
fn only_the_exact_token_verifies() {
    let ring = ring();
    let strangers = [
        KeyRing::new("sid", &secret(1), &[secret(2)]),
        KeyRing::new("__Host-sid2", &secret(1), &[]),
        KeyRing::new(NAME, &secret(3), &[secret(4)]),
    ];
    for n in 0..100 {
        let token = token(&SessionId::from_bytes([n; 24]), &ring).into_bytes();
        assert!(!is_refused(&token, &ring));
        for stranger in &strangers {
            assert!(is_refused(&token, stranger));
        }
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
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
fn the_fifth_well_formed_candidate_is_ignored() {
    let ring = ring();
    let valid = token(&id(7), &ring).into_bytes();
    let forged = [[b'x'; 32].as_slice(), b".", &[b'A'; 43]].concat();
    let after = |count| {
        let values = std::iter::repeat_n(forged.as_slice(), count).chain([valid.as_slice()]);
        let values = values.map(|value| (Way::Cookie, value));
        judge(values, &ring).presented
    };
    let signer = Signer::First;
    assert_eq!(after(3), Presented::Token { id: id(7), signer });
    assert_eq!(after(4), Presented::Forged);
}

#[test]
fn who_shows_a_token_of_ours_in_a_cookie_is_answered_by_cookie() {
    let ring = ring();
    let [one, two] = [1, 2].map(|byte| token(&id(byte), &ring).into_bytes());
    let forged = [[b'x'; 32].as_slice(), b".", &[b'A'; 43]].concat();
    let way = |candidates: &[(Way, &[u8])]| judge(candidates.iter().copied(), &ring).way;
    let (header, cookie) = (Way::Header, Way::Cookie);
    assert_eq!(way(&[]), None);
    assert_eq!(way(&[(cookie, &forged), (header, b"garbage")]), None);
    assert_eq!(way(&[(header, &one), (cookie, &forged)]), Some(header));
    for other in [&one, &two] {
        assert_eq!(way(&[(header, &one), (cookie, other)]), Some(cookie));
        assert_eq!(way(&[(cookie, other), (header, &one)]), Some(cookie));
    }
}

fn express(text: &str) -> KeyRing {
    KeyRing::of_express(&Secret::from_express(text).unwrap(), &[])
}

/// An id and what Express makes of it, by its own libraries: a tag with both characters that are escaped.
const EXPRESS: (&str, &str) = (
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb3",
    "s%3Abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb3.",
);

#[test]
fn a_token_for_express_is_escaped_as_express_does() {
    let ring = express("keyboard cat");
    let id = SessionId::parse(EXPRESS.0.as_bytes()).unwrap();
    let token = token(&id, &ring);
    let tag = token.strip_prefix(EXPRESS.1).unwrap();
    let raw = ring.sign(EXPRESS.0.as_bytes()).encode(Wire::Express);
    let raw = str::from_utf8(&raw).unwrap();
    assert_eq!(tag, raw.replace('+', "%2B").replace('/', "%2F"));
    let presented = |token: &str| {
        let candidates = [(Way::Cookie, token.as_bytes())];
        judge(candidates.into_iter(), &ring).presented
    };
    let signer = Signer::First;
    // However it is escaped, as in Express.
    let plain = format!("s:{}.{raw}", EXPRESS.0);
    for spelling in [
        &token,
        &token.to_lowercase().replace(&tag.to_lowercase(), tag),
        &plain,
    ] {
        assert_eq!(
            presented(spelling),
            Presented::Token { id, signer },
            "{spelling}"
        );
    }
    // Unsigned, or cut off, or of ours.
    for other in [
        plain.trim_start_matches("s:"),
        EXPRESS.0,
        token.strip_suffix(|_: char| true).unwrap(),
        &format!("{plain}A"),
        &format!("{plain}%"),
        &format!("{plain}%4"),
        &format!("%{plain}"),
        &"%41".repeat(100),
    ] {
        assert_eq!(presented(other), Presented::Nothing, "{other}");
    }
}

#[test]
fn only_the_token_of_the_same_secret_verifies_in_expresss_form_too() {
    let ring = express("keyboard cat");
    let id = SessionId::from_bytes([9; 24]);
    let token = token(&id, &ring);
    for stranger in [express("keyboard cau"), express("k"), self::ring()] {
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
        assert_eq!(is_refused(&flipped, &ring), !same, "bit {bit}");
    }
}
