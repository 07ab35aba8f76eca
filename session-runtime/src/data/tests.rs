//! Tests the baseline of a struct, its changes, and how two changes compare.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

use serde::Serialize;

use super::comparing::Comparing;
use super::encodings::Encodings;
use super::raw::Raw;
use super::*;

struct Notes {
    count: u64,
    text: String,
}

impl Notes {
    const COUNT: &'static Column<u64> = &column(&["count", "n"]);
    const TEXT: &'static Column<String> = &column(&["text"]);
}

const fn column<T: Stored + Default>(keys: &'static [&'static str]) -> Column<T> {
    Column {
        keys,
        default: Some(default),
        json: json(),
        merge: None,
        privilege: false,
        owner: false,
    }
}

impl SessionData for Notes {
    const SLICE: Slice<'static> = Slice::Named("notes");
    const FIELDS: &'static [&'static dyn Field] = &[Self::COUNT, Self::TEXT];

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            count: Self::COUNT.load(from)?,
            text: Self::TEXT.load(from)?,
        })
    }

    fn encode(&self, into: &mut Writer<'_>) {
        Self::COUNT.encode(&self.count, into);
        Self::TEXT.encode(&self.text, into);
    }
}

/// A record of `notes` with these members.
fn stored(members: &[(&str, &str)]) -> Fields {
    let empty = Fields::default();
    let mut edit = empty.edit();
    for (key, json) in members {
        edit.set(Notes::SLICE, key, json.as_bytes());
    }
    edit.pack()
}

fn changed(fields: &Fields, change: impl FnOnce(&mut Notes)) -> Vec<Change> {
    let mut notes = read::<Notes>(fields).expect("each field has a default");
    let before = Baseline::of(&notes, fields.clone());
    change(&mut notes);
    changes(&before, &notes).expect("numbers and text can be stored")
}

/// The key, the bytes before and the bytes after of a change that set one field.
fn set(change: &Change) -> (&'static str, &[u8], &[u8]) {
    let Change::Set {
        field,
        before,
        after,
        ..
    } = change
    else {
        panic!("a field was set: {change:?}");
    };
    (field.keys()[0], before.json(), after.json())
}

#[test]
fn a_change_holds_what_the_field_held_and_what_it_holds() {
    let fields = stored(&[("count", "1"), ("text", "\"a\"")]);
    let changes = changed(&fields, |notes| notes.count = 2);
    let set: Vec<_> = changes.iter().map(set).collect();
    assert_eq!(set, [("count", &b"1"[..], &b"2"[..])]);
    let applied = apply(&changes, &fields);
    assert_eq!(applied, stored(&[("count", "2"), ("text", "\"a\"")]));
}

#[test]
fn what_is_stored_is_not_copied_into_a_change() {
    let fields = stored(&[("n", "1"), ("text", "\"a\"")]);
    for change in changed(&fields, |notes| {
        notes.count = 2;
        notes.text.push('b');
    }) {
        let Change::Set { before, .. } = &change else {
            panic!("a field was set: {change:?}");
        };
        assert!(matches!(before, Raw::Stored { .. }), "{change:?}");
    }
}

#[test]
fn a_value_that_is_stored_otherwise_is_compared_with_how_it_is_written_here() {
    for members in [
        &[][..],
        &[("count", "1e0"), ("text", "\"\\u0061\\/\"")],
        &[("text", "\"\\t\""), ("n", "7")],
        &[("count", "\"no number\""), ("text", "\"a\"")],
    ] {
        let fields = stored(members);
        assert_eq!(changed(&fields, |_| {}), [], "{members:?}");
        let changes = changed(&fields, |notes| {
            notes.count += 1;
            notes.text.push('!');
        });
        let applied = read::<Notes>(&apply(&changes, &fields)).expect("both fields are stored");
        let was = read::<Notes>(&fields).expect("each field has a default");
        assert_eq!(applied.count, was.count + 1, "{members:?}");
        assert_eq!(applied.text, was.text + "!", "{members:?}");
    }
}

#[test]
fn a_struct_that_is_stored_as_it_is_written_keeps_nothing() {
    let text = serde_json::to_string("quotes \" and lines\nand ü").expect("text is JSON");
    let fields = stored(&[("count", "1"), ("text", &text)]);
    let notes = read::<Notes>(&fields).expect("both fields are stored");
    let mut writer = Writer::new(Encodings::NONE, &fields, Notes::SLICE);
    notes.encode(&mut writer);
    assert!(writer.written().is_unallocated());
}

#[test]
fn changes_are_compared_and_hashed_by_their_bytes() {
    let changes = |stored: &Fields, count| changed(stored, |notes| notes.count = count);
    let (one, other) = (
        stored(&[("count", "1")]),
        stored(&[("count", "1"), ("x", "0")]),
    );
    let absent = stored(&[("text", "\"\"")]);
    let hasher = RandomState::new();
    let (a, b) = (changes(&one, 2), changes(&other, 2));
    assert_eq!(a, b);
    assert_eq!(hasher.hash_one(&a), hasher.hash_one(&b));
    assert_eq!(a.clone(), a);
    assert_ne!(a, changes(&one, 3));
    assert_ne!(a, changes(&absent, 2), "it held another value before");
    let text = changed(&one, |notes| notes.text = "2".to_owned());
    assert_ne!(a, text);
}

#[test]
fn a_change_shows_no_value() {
    let fields = stored(&[("text", "\"ada\"")]);
    let changes = changed(&fields, |notes| notes.text = "bob".to_owned());
    let shown = format!("{changes:?}");
    assert!(!shown.contains("ada") && !shown.contains("bob"), "{shown}");
}

/// The JSON that [`Comparing`] keeps, if it differs from `expected`.
fn differing<T: Stored>(expected: &[u8], value: &T) -> Option<Vec<u8>> {
    let mut writer = Encodings::default();
    let mut json = Comparing::new(expected, 0, &mut writer);
    column::write(value, &mut json).expect("the value is JSON");
    json.finish();
    writer.into_first()
}

fn json_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the value is JSON")
}

#[test]
fn what_is_written_is_kept_whole_if_it_differs_anywhere() {
    let value = vec![1, 22, 333, 4_444_444_444_u64];
    let expected = json_of(&value);
    assert_eq!(differing(&expected, &value), None);
    for at in 0..expected.len() {
        let mut other = expected.clone();
        other[at] ^= 1;
        assert_eq!(differing(&other, &value), Some(expected.clone()), "{at}");
        assert_eq!(differing(&expected[..at], &value), Some(expected.clone()));
    }
    let longer = [&expected[..], b" "].concat();
    assert_eq!(differing(&longer, &value), Some(expected));
}

#[test]
fn a_text_is_told_from_any_other() {
    let texts: HashSet<String> = (0..=0x100)
        .filter_map(char::from_u32)
        .flat_map(|c| {
            [
                format!("{c}"),
                format!("a{c}"),
                format!("{c}n{c}"),
                format!("\\{c}"),
            ]
        })
        .chain(["", "\\\\", "\\\\n", "\"\"", "u0000", "\\u0000", "😀"].map(str::to_owned))
        .collect();
    for text in &texts {
        let json = json_of(text);
        assert_eq!(differing(&json, text), None, "{text:?}");
        for stored in &texts {
            let (stored, same) = (json_of(stored), stored == text);
            assert_eq!(
                differing(&stored, text).is_none(),
                same,
                "{text:?} {stored:?}"
            );
        }
    }
    let text = "a".to_owned();
    for stored in [
        "", "\"", "\"\\", "\"\\\"", "\"a\\\"", "a", "\"aa", "null", "[]",
    ] {
        let kept = differing(stored.as_bytes(), &text);
        assert_eq!(kept, Some(b"\"a\"".to_vec()), "{stored}");
    }
}

#[test]
fn writing_byte_by_byte_is_the_same() {
    for (expected, same) in [(&b"[1,2]"[..], true), (b"[1,3]", false), (b"", false)] {
        let mut kept = Encodings::default();
        let mut json = Comparing::new(expected, 0, &mut kept);
        for byte in b"[1,2]" {
            assert_eq!(json.write(&[*byte]).expect("memory takes it"), 1);
        }
        json.finish();
        let expected = (!same).then(|| b"[1,2]".to_vec());
        assert_eq!(kept.into_first(), expected);
    }
}
