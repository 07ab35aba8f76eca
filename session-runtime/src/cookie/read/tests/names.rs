//! Exactly the configured name, against a parser that takes its time.

use proptest::prelude::*;

use super::*;

#[test]
fn only_the_exact_name_matches() {
    let corpus: [(&[u8], &[&[u8]]); 22] = [
        (b"sid=1", &[b"1"]),
        (b"sid=1; sid=2", &[b"1", b"2"]),
        (b" \tsid \t=\t 1 \t", &[b"1"]),
        (b"sid=", &[b""]),
        (b"sid==1=", &[b"=1="]),
        (b"sid=\"1\"", &[b"\"1\""]),
        (b"sid=%31", &[b"%31"]),
        (b"sid=1 2", &[b"1 2"]),
        (b"sid=1,sid=2", &[b"1,sid=2"]),
        (b"a=\"; sid=1; \"", &[b"1"]),
        (b";;sid=1;", &[b"1"]),
        (b"sid=\xff", &[b"\xff"]),
        (b"sid", &[]),
        (b"SID=1", &[]),
        (b"sid2=1", &[]),
        (b"xsid=1", &[]),
        (b"s%69d=1", &[]),
        (b"\"sid\"=1", &[]),
        (b"sid x=1", &[]),
        (b"\xc2\xa0sid=1", &[]),
        (b"=sid=1", &[]),
        (b"a=sid=1", &[]),
    ];
    for (line, expected) in corpus {
        let headers = cookies([line]);
        let found: Vec<&[u8]> = values(&headers, "sid").collect();
        assert_eq!(found, expected, "{}", line.escape_ascii());
        assert_eq!(
            reference(&[line.to_vec()], b"sid"),
            expected,
            "{}",
            line.escape_ascii()
        );
    }
}

#[test]
fn the_pairs_of_a_long_header_are_visited_once_and_in_order() {
    let [ring, ..] = rings();
    let line = vec!["sid=12345678"; 5_000].join(";");
    let headers = cookies([&line]);
    let starts: Vec<*const u8> = values(&headers, "sid").map(<[u8]>::as_ptr).collect();
    assert_eq!(starts.len(), 5_000);
    assert!(starts.is_sorted_by(|a, b| a < b));
    assert_eq!(presented(&headers, "sid", &ring), Verdict::Nothing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn names_and_values_are_those_of_the_reference(lines in lines()) {
        let headers = cookies(&lines);
        let found: Vec<Vec<u8>> = values(&headers, "sid").map(<[u8]>::to_vec).collect();
        prop_assert_eq!(found, reference(&lines, b"sid"));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, name: Vec<u8>) {
        let rings = rings();
        let values: Vec<&[u8]> = bytes.split(|c| *c == b';').filter_map(|pair| value(pair, &name)).collect();
        prop_assert_eq!(judge(values.into_iter(), &rings[0]), Verdict::Nothing);
    }
}

/// The cookies of a `Cookie` header, step by step as RFC 6265bis has a pair parsed (section 5.6).
fn reference(lines: &[Vec<u8>], wanted: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for line in lines {
        let mut rest = line.clone();
        loop {
            let end = rest.iter().position(|c| *c == b';');
            let pair: Vec<u8> = rest.drain(..end.unwrap_or(rest.len())).collect();
            if let Some(equals) = pair.iter().position(|c| *c == b'=') {
                let name = without_blanks(pair[..equals].to_vec());
                let value = without_blanks(pair[equals + 1..].to_vec());
                if name == wanted {
                    found.push(value);
                }
            }
            if end.is_none() {
                break;
            }
            rest.remove(0);
        }
    }
    found
}

fn without_blanks(mut text: Vec<u8>) -> Vec<u8> {
    let is_blank = |c: Option<&u8>| matches!(c, Some(0x20 | 0x09));
    while is_blank(text.first()) {
        text.remove(0);
    }
    while is_blank(text.last()) {
        text.pop();
    }
    text
}

/// Header lines of what parsers disagree on, and of any byte that a header may hold.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let tricky = prop::sample::select(vec![
        "sid", "SID", "si", "d", "=", "=", ";", ";", " ", "\t", "\"", "%", ",", ".", "\u{a0}", "1",
    ]);
    let any_byte = any::<u8>().prop_filter("a header's byte", |c| {
        *c == b'\t' || (*c >= b' ' && *c != 0x7f)
    });
    let piece = prop_oneof![
        9 => tricky.prop_map(|text| text.as_bytes().to_vec()),
        1 => any_byte.prop_map(|c| vec![c]),
    ];
    let line = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    prop::collection::vec(line, 0..4)
}
