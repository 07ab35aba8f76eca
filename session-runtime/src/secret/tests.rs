use proptest::prelude::*;

use super::*;

fn secret(byte: u8) -> Secret {
    Secret::try_from([byte; 32].as_slice()).unwrap()
}

/// 32 bytes in the characters by which the alphabets differ.
fn text() -> String {
    "-_".repeat(21) + "8"
}

fn ring(first: u8, previous: &[u8]) -> KeyRing {
    let previous: Vec<Secret> = previous.iter().copied().map(secret).collect();
    KeyRing::new("sid", &secret(first), &previous)
}

#[test]
fn the_tag_is_a_golden_vector() {
    // hmac(hmac(secret, b"sessile cookie v1\0" + name), message), by Python's hmac and hashlib.
    let bytes: Vec<u8> = (0..32).collect();
    let secret = Secret::try_from(bytes.as_slice()).unwrap();
    let ring = KeyRing::new("__Host-sid", &secret, &[]);
    assert_eq!(
        ring.sign(&[b'A'; 32]).encode(Alphabet::UrlSafe),
        *b"vS3i0RZkatOfXHVhQWI7unkJPSUTXblvq95IQj4kP6w"
    );
}

#[test]
fn a_tag_has_one_spelling() {
    let alphabet = (0..=u8::MAX).filter(|c| c.is_ascii_alphanumeric() || b"-_".contains(c));
    let canonical: Vec<u8> = alphabet
        .filter(|last| {
            Tag::parse(
                &[[b'x'; 42].as_slice(), &[*last]].concat(),
                Alphabet::UrlSafe,
            )
            .is_some()
        })
        .collect();
    // Of the last character's six bits, the tag needs four: sixteen of the sixty-four remain.
    assert_eq!(canonical, b"048AEIMQUYcgkosw");
}

#[test]
fn other_lengths_and_alphabets_are_no_tag() {
    let tag = ring(1, &[]).sign(b"id").encode(Alphabet::UrlSafe);
    assert_eq!(
        Tag::parse(&tag, Alphabet::UrlSafe)
            .unwrap()
            .encode(Alphabet::UrlSafe),
        tag
    );
    assert!(Tag::parse(&tag[..42], Alphabet::UrlSafe).is_none());
    assert!(Tag::parse(&[tag.as_slice(), b"="].concat(), Alphabet::UrlSafe).is_none());
    assert!(Tag::parse(&[tag.as_slice(), b"A"].concat(), Alphabet::UrlSafe).is_none());
    for other in [b'+', b'/', b'=', b' ', 0, 0xff] {
        let mut tag = tag;
        tag[7] = other;
        assert!(Tag::parse(&tag, Alphabet::UrlSafe).is_none(), "{other}");
    }
}

#[test]
fn the_first_secret_that_fits_is_named() {
    let tag = ring(1, &[]).sign(b"id");
    assert_eq!(ring(1, &[2, 1]).verify(b"id", &tag), Some(Signer::First));
    assert_eq!(ring(2, &[3, 1]).verify(b"id", &tag), Some(Signer::Previous));
    assert_eq!(ring(2, &[3]).verify(b"id", &tag), None);
}

#[test]
fn secrets_and_rings_never_print() {
    assert_eq!(format!("{:?}", secret(7)), "Secret(..)");
    assert_eq!(format!("{:#?}", secret(7)), "Secret(..)");
    assert_eq!(format!("{:?}", ring(7, &[8])), "KeyRing(..)");
}

#[test]
fn a_short_secret_is_refused_and_not_shown() {
    let error = Secret::try_from(b"hunter2hunter".as_slice()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a secret has 13 bytes, it needs at least 32"
    );
    assert!(!format!("{error:?}").contains("hunter"));
    assert!(Secret::try_from([0; 31].as_slice()).is_err());
    assert!(Secret::try_from([0; 32].as_slice()).is_ok());
}

#[test]
fn both_alphabets_are_read_with_or_without_padding() {
    let text = text();
    let standard = text.replace('-', "+").replace('_', "/");
    let expected = Secret::from_base64(&text).unwrap();
    assert_eq!(expected.0.len(), 32);
    for other in [
        format!("{text}="),
        standard.clone(),
        format!("{standard}="),
        format!(" {text}\r\n"),
    ] {
        assert_eq!(
            Secret::from_base64(&other).unwrap().0,
            expected.0,
            "{other:?}"
        );
    }
}

#[test]
fn text_that_is_not_base64_is_refused_and_not_shown() {
    let text = text();
    let mixed = text.replacen('-', "+", 1);
    for text in [&mixed, &format!("{text}=="), "correct horse!"] {
        let error = Secret::from_base64(text).unwrap_err();
        assert_eq!(error, SecretError::NotBase64, "{text:?}");
        assert_eq!(error.to_string(), "a secret is not base64");
    }
    assert_eq!(
        Secret::from_base64("").unwrap_err(),
        SecretError::TooShort { len: 0 }
    );
}

#[test]
fn text_may_be_folded() {
    let text = text();
    let (start, end) = text.split_at(20);
    let folded = Secret::from_base64(&format!(" {start}\r\n{end}\n")).unwrap();
    assert_eq!(folded.0, Secret::from_base64(&text).unwrap().0);
}

#[test]
fn the_environment_is_read() {
    // Cargo sets it to a version, whose dots no alphabet has.
    let error = Secret::from_env("CARGO_PKG_VERSION").unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "`CARGO_PKG_VERSION`, read as base64, holds no secret: a secret is not base64; \
         set it to the output of `openssl rand -base64 32`"
    );
    let error = Secret::from_env("SESSILE_IS_NEVER_SET").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`SESSILE_IS_NEVER_SET` is not set: set it to the output of `openssl rand -base64 32`"
    );
}

#[test]
fn two_generated_secrets_differ() {
    assert_eq!(Secret::generate().0.len(), 32);
    assert_ne!(Secret::generate().0, Secret::generate().0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_first_signs_all_verify_and_the_retired_are_refused(
        first in 0..6_u8,
        previous in prop::collection::vec(0..6_u8, 0..5),
        signer in 0..6_u8,
        message: [u8; 32],
    ) {
        let tag = ring(signer, &[]).sign(&message);
        let expected = if signer == first {
            Some(Signer::First)
        } else {
            previous.contains(&signer).then_some(Signer::Previous)
        };
        let accepting = ring(first, &previous);
        prop_assert_eq!(accepting.verify(&message, &tag), expected);

        let reversed: Vec<u8> = previous.iter().rev().copied().collect();
        prop_assert_eq!(ring(first, &reversed).verify(&message, &tag), expected);

        let signed = accepting.sign(&message);
        prop_assert_eq!(ring(first, &[]).verify(&message, &signed), Some(Signer::First));
    }

    #[test]
    fn a_tag_fits_its_own_name_and_message_only(name in "[a-z]{1,4}", other in "[a-z]{1,4}", message: u8, another: u8) {
        let tag = KeyRing::new(&name, &secret(1), &[]).sign(&[message]);
        let fits = KeyRing::new(&other, &secret(1), &[]).verify(&[another], &tag).is_some();
        prop_assert_eq!(fits, name == other && message == another);
    }
}

/// The vectors of the npm package `cookie-signature`.
#[test]
fn an_unbound_tag_is_a_golden_vector() {
    let ring = KeyRing::unbound(b"keyboard cat", std::iter::empty());
    for (message, tag) in [
        ("apple", b"D8Y+pkTAmeR0PobOhY4G97PRW+j7bUnP/5m6/On1MCU"),
        ("%", b"kzQ6x52kKVdF35Qh62AWk4ZekS28K5XYCXKa/OTZ01g"),
        ("/foo", b"paEKBtAHbV5s1IB8B2zPnzAgYmmnRPIqObW4VRYj/MQ"),
    ] {
        assert_eq!(
            ring.sign(message.as_bytes()).encode(Alphabet::Standard),
            *tag
        );
        let tag = Tag::parse(tag, Alphabet::Standard).unwrap();
        assert_eq!(ring.verify(message.as_bytes(), &tag), Some(Signer::First));
    }
}
