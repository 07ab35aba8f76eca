use proptest::prelude::*;

use super::*;

fn record(data: &str) -> Record {
    let json = format!(r#"{{"v":1,"rev":7,"created":1000,"data":{data}}}"#);
    Record::from_json(json.as_bytes()).unwrap()
}

fn data(record: &Record) -> String {
    let json = record.to_json();
    let data = json.strip_prefix(r#"{"v":1,"rev":7,"created":1000,"data":"#);
    data.and_then(|data| data.strip_suffix('}'))
        .unwrap()
        .to_owned()
}

fn edited(from: &str, edit: impl FnOnce(&mut Edit<'_>)) -> String {
    let mut record = record(from);
    let fields = record.fields.clone();
    let mut copy = fields.edit();
    edit(&mut copy);
    record.fields = copy.pack();
    data(&record)
}

#[test]
fn a_record_is_written_as_it_was_read() {
    for text in [
        "{}",
        r#"{"visits":{"page_views":3}}"#,
        r#"{"page_views":1,"cart":{"a":[1,{"b":2}],"b":"ü\n\u0001"},"x":{},"y":null}"#,
        r#"{"\"quoted\"":{"a\\b":1}}"#,
    ] {
        assert_eq!(data(&record(text)), text);
    }
}

#[test]
fn an_idle_timeout_of_its_own_is_kept() {
    let json = r#"{"v":1,"rev":7,"created":1000,"idle":5000,"data":{}}"#;
    let record = Record::from_json(json.as_bytes()).unwrap();
    assert_eq!(record.idle, Some(Duration::from_secs(5)));
    assert_eq!(record.to_json(), json);
}

#[test]
fn a_field_is_found_by_slice_and_key() {
    let record = record(r#"{"a":{"x":1,"y":[2]},"b":{"x":3},"x":4,"o":{"p":5,"q":6}}"#);
    let get = |slice, key| {
        let raw = record.fields.get(slice, key)?;
        Some(String::from_utf8(raw.into_owned()).unwrap())
    };
    assert_eq!(get(Slice::Named("a"), "y").unwrap(), "[2]");
    assert_eq!(get(Slice::Named("b"), "x").unwrap(), "3");
    assert_eq!(get(Slice::Top, "x").unwrap(), "4");
    assert_eq!(get(Slice::Top, "o").unwrap(), r#"{"p":5,"q":6}"#);
    assert_eq!(get(Slice::Named("b"), "y"), None);
    assert_eq!(get(Slice::Named("c"), "x"), None);
}

#[test]
fn fields_are_found_in_any_order() {
    let record = record(r#"{"a":{"x":1,"y":2,"z":3}}"#);
    let mut cursor = Cursor::start();
    for (key, raw) in [("z", b"3"), ("x", b"1"), ("y", b"2"), ("y", b"2")] {
        let found = cursor.find(&record.fields, Slice::Named("a"), key).unwrap();
        assert_eq!(found.as_ref(), raw);
    }
}

#[test]
fn a_set_field_leaves_its_neighbours_alone() {
    let set = |edit: &mut Edit<'_>| {
        edit.set(Slice::Named("a"), "x", b"9".to_vec());
        edit.set(Slice::Named("a"), "new", b"8".to_vec());
        edit.set(Slice::Top, "top", b"7".to_vec());
    };
    let before = r#"{"a":{"x":1,"unknown":[1, 2]},"b":{"x":3}}"#;
    let after = r#"{"a":{"x":9,"unknown":[1, 2],"new":8},"b":{"x":3},"top":7}"#;
    assert_eq!(edited(before, set), after);
}

#[test]
fn a_name_is_a_slice_or_a_value_and_never_both() {
    let to_value = |edit: &mut Edit<'_>| edit.set(Slice::Top, "a", b"1".to_vec());
    assert_eq!(edited(r#"{"a":{"x":1,"y":2}}"#, to_value), r#"{"a":1}"#);
    let to_slice = |edit: &mut Edit<'_>| edit.set(Slice::Named("a"), "x", b"1".to_vec());
    assert_eq!(edited(r#"{"a":{}}"#, to_slice), r#"{"a":{"x":1}}"#);
}

#[test]
fn a_removed_slice_goes_with_the_fields_that_nobody_knows() {
    let remove = |edit: &mut Edit<'_>| edit.remove_slice(Slice::Named("a"));
    assert_eq!(edited(r#"{"a":{"x":1,"y":2},"b":1}"#, remove), r#"{"b":1}"#);
}

#[test]
fn a_newer_format_is_an_error_that_says_so() {
    let error = Record::from_json(br#"{"v":2,"anything":[]}"#).unwrap_err();
    assert_eq!(error, RecordError::Version(2));
}

#[test]
fn an_error_shows_no_stored_value() {
    let error = Record::from_json(br#"{"v":1,"rev":"s3cret","created":0,"data":{}}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_record_prints_its_keys_and_not_its_values() {
    let record = record(r#"{"a":{"x":"s3cret"},"y":"s3cret"}"#);
    let printed = format!("{record:?}");
    assert!(printed.contains("a.x") && printed.contains('y') && !printed.contains("s3cret"));
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let json = format!(r#"{{"v":1,"rev":7,"created":1000,"data":{{"a":{{"x":{deep}}}}}}}"#);
    assert_eq!(Record::from_json(json.as_bytes()).unwrap().to_json(), json);
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes: Vec<u8>) {
        let _ = Record::from_json(&bytes);
    }

    #[test]
    fn any_data_survives(keys in prop::collection::vec(("[a-z]{1,3}", "[a-zé]{1,3}", any::<i64>()), 0..8)) {
        let empty = Fields::default();
        let mut edit = empty.edit();
        for (slice, key, value) in &keys {
            edit.set(Slice::Named(slice), key, value.to_string().into_bytes());
        }
        let record = Record {
            revision: Revision::from_u64(7),
            created: Timestamp::from_millis(1000),
            idle: None,
            owners: Owners::default(),
            fields: edit.pack(),
        };
        let again = Record::from_json(record.to_json().as_bytes()).unwrap();
        prop_assert_eq!(&again, &record);
        for (slice, key, _) in &keys {
            let last = keys.iter().rfind(|(s, k, _)| s == slice && k == key).unwrap().2;
            let raw = again.fields.get(Slice::Named(slice), key).unwrap().into_owned();
            prop_assert_eq!(raw, last.to_string().into_bytes());
        }
    }
}

proptest! {
    #[test]
    fn a_value_in_place_is_as_an_edit_makes_it(
        entries in prop::collection::vec(("[ab]?", "[abc]", any::<i64>()), 0..8),
        (slice, key, value) in ("[ab]?", "[abc]", any::<i64>()),
    ) {
        let place = |name| if str::is_empty(name) { Slice::Top } else { Slice::Named(name) };
        let mut edit = Edit::default();
        let entries: Vec<_> = entries.iter().map(|(slice, key, raw)| (slice, key, raw.to_string())).collect();
        for (slice, key, raw) in &entries {
            edit.set(place(slice), key, raw.as_bytes());
        }
        let fields = edit.pack();
        let raw = value.to_string();
        let mut before = None;
        let in_place = fields.with(place(&slice), &key, |stands| {
            before = Some(stands.to_vec());
            raw.as_bytes().into()
        });
        let has_entry = fields.iter().any(|entry| {
            entry.key == key.as_bytes() && entry.slice.unwrap_or_default() == slice.as_bytes()
        });
        prop_assert_eq!(in_place.is_some(), has_entry);
        if let Some(in_place) = in_place {
            let found = fields.get(place(&slice), &key);
            prop_assert_eq!(before.as_deref(), found.as_deref());
            let mut edit = fields.edit();
            edit.set(place(&slice), &key, raw.as_bytes());
            prop_assert!(in_place == edit.pack());
        }
    }
}

#[test]
fn owners_are_kept_by_place() {
    let ann = OwnerKey::of("account", b"17");
    let json = format!(
        r#"{{"v":1,"rev":7,"created":1000,"owner":{{"account":{{"key":"{}","since":900}}}},"data":{{}}}}"#,
        ann.to_text()
    );
    let mut read = Record::from_json(json.as_bytes()).unwrap();
    assert_eq!(read.owners.since(ann), Some(Timestamp::from_millis(900)));
    assert_eq!(read.owners.since(OwnerKey::of("account", b"18")), None);
    assert_eq!(read.owners.since(OwnerKey::of("admin", b"17")), None);
    assert_eq!(read.to_json(), json);

    read.owners = read.owners.without("admin");
    assert!(!read.owners.is_empty());
    read.owners = read.owners.without("account");
    assert!(read.owners.is_empty());
    assert_eq!(read, record("{}"));
}

#[test]
fn a_malformed_owner_makes_a_record_unreadable() {
    for owner in [
        "7",
        r#"{"account":{"key":"short","since":0}}"#,
        r#"{"account":7}"#,
    ] {
        let json = format!(r#"{{"v":1,"rev":7,"created":1000,"owner":{owner},"data":{{}}}}"#);
        let read = Record::from_json(json.as_bytes());
        assert!(
            matches!(read, Err(RecordError::Malformed { .. })),
            "{owner}"
        );
    }
}

#[test]
fn an_owner_never_prints() {
    let ann = OwnerKey::of("account", b"17");
    let owners = Owners::default().with("account", ann, Timestamp::MAX);
    assert_eq!(format!("{owners:?}"), r#"["account"]"#);
    assert_eq!(format!("{ann:?}"), "OwnerKey(..)");
}
