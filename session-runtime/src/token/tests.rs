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
    let (text, tag) = str::from_utf8(&token).unwrap().split_once('.').unwrap();
    assert_eq!(text.as_bytes(), id(7).as_bytes());
    assert_eq!(tag.as_bytes(), ring.sign(id(7).as_bytes()).encode());
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
fn the_fifth_well_formed_candidate_is_ignored() {
    let ring = ring();
    let valid = token(&id(7), &ring);
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
    let [one, two] = [1, 2].map(|byte| token(&id(byte), &ring));
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
