//! Finds the integers that JavaScript reads as others.

use crate::record::Fields;

/// `Number.MAX_SAFE_INTEGER`: beyond it two integers may be one number.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// The first field that differs from what stood `before` and holds an integer which Express would read, and
/// write back, as another.
pub(crate) fn unsafe_integer(before: &Fields, after: &Fields) -> Option<String> {
    // A record may have thousands of fields: only these few are looked up in the earlier ones.
    let mut unsafe_ones = after.iter().filter(|entry| has_unsafe_integer(entry.raw));
    let changed = unsafe_ones.find(|entry| !before.iter().any(|stood| stood == *entry));
    changed.map(|entry| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match entry.slice {
            Some(slice) => format!("{}.{}", text(slice), text(entry.key)),
            None => text(entry.key),
        }
    })
}

fn has_unsafe_integer(json: &[u8]) -> bool {
    let mut rest = json;
    while let [first, tail @ ..] = rest {
        rest = match first {
            b'"' => after_text(tail),
            b'0'..=b'9' => {
                let is_part = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'+' | b'-');
                let end = rest.iter().position(|c| !is_part(c)).unwrap_or(rest.len());
                let (number, after) = rest.split_at(end);
                // A number with a fraction or an exponent is a double on both sides.
                let is_integer = number.iter().all(u8::is_ascii_digit);
                let number = str::from_utf8(number).ok().and_then(|it| it.parse().ok());
                if is_integer && number.is_none_or(|number: u64| number > MAX_SAFE) {
                    return true;
                }
                after
            }
            _ => tail,
        };
    }
    false
}

/// The bytes after a text whose opening quote has been read.
fn after_text(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'"', tail @ ..] => return tail,
            [b'\\', _, tail @ ..] | [_, tail @ ..] => tail,
            [] => return rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_two_to_the_53_are_found_wherever_they_stand() {
        for json in [
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551616",
            r#"[1,{"a":9007199254740993}]"#,
            r#"{"\"":"\\","a":[9007199254740992]}"#,
        ] {
            assert!(has_unsafe_integer(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn what_javascript_reads_as_it_is_passes() {
        for json in [
            "9007199254740991",
            "-9007199254740991",
            "1e300",
            "12345678901234567.5",
            r#""9007199254740992""#,
            r#"{"9007199254740992":"a\"9007199254740992"}"#,
            "[]",
            "",
        ] {
            assert!(!has_unsafe_integer(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn a_record_of_many_fields_takes_linear_time() {
        let fields: Vec<_> = (0..20_000).map(|n| format!(r#""{n}":{n}"#)).collect();
        let fields = Fields::from_json(format!("{{{}}}", fields.join(",")).as_bytes()).unwrap();
        let began = std::time::Instant::now();
        assert_eq!(unsafe_integer(&fields, &fields), None);
        assert!(
            began.elapsed() < std::time::Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
    }

    #[test]
    fn only_what_was_changed_is_looked_at_and_it_is_named() {
        let fields = |json: &str| Fields::from_json(json.as_bytes()).unwrap();
        let before = fields(r#"{"a":9007199254740993,"b":{"c":1}}"#);
        assert_eq!(unsafe_integer(&before, &before), None);
        let after = fields(r#"{"a":9007199254740993,"b":{"c":9007199254740993}}"#);
        assert_eq!(unsafe_integer(&before, &after).as_deref(), Some("b.c"));
        let after = fields(r#"{"a":9007199254740995,"b":{"c":1}}"#);
        assert_eq!(unsafe_integer(&before, &after).as_deref(), Some("a"));
    }
}
