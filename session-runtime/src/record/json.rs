//! Reads and writes a record as the JSON object that stores keep; the only place that knows its shape.
//!
//! `{"v":1,"rev":..,"created":<ms>,"idle":<ms>,"owner":{"account":{"key":..,"since":<ms>}},
//! "data":{"visits":{"page_views":3}}}`, where `idle` is there only if it was set for this session,
//! and `owner` if the session is somebody's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fields::{Edit, Fields, write_object};
use super::owners::{Owner, OwnerKey, Owners};
use super::{Record, RecordError, Revision};
use crate::expiry::Timestamp;

/// The format that this version writes, and the only one there has been.
const VERSION: u64 = 1;

pub(super) fn write(record: &Record) -> String {
    let Record {
        revision,
        created,
        idle,
        owners,
        fields,
    } = record;
    let mut json = format!(
        r#"{{"v":{VERSION},"rev":{},"created":{},"#,
        revision.as_u64(),
        created.as_millis()
    )
    .into_bytes();
    if let Some(idle) = idle {
        json.extend_from_slice(format!(r#""idle":{},"#, idle.as_millis()).as_bytes());
    }
    write_owners(&mut json, owners);
    json.extend_from_slice(b"\"data\":");
    write_fields(&mut json, fields);
    json.push(b'}');
    String::from_utf8(json).expect("fields hold what was read from strings")
}

pub(super) fn read(json: &[u8]) -> Result<Record, RecordError> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        rev: u64,
        created: u64,
        idle: Option<u64>,
        #[serde(borrow, default)]
        owner: BTreeMap<Cow<'a, str>, WireOwner<'a>>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }

    // The version first: a record from the future may lack what version 1 requires.
    let Version { v } = serde_json::from_slice(json).map_err(RecordError::malformed)?;
    if v != VERSION {
        return Err(RecordError::Version(v));
    }
    let Wire {
        rev,
        created,
        idle,
        owner,
        data,
    } = serde_json::from_slice(json).map_err(RecordError::malformed)?;
    Ok(Record {
        revision: Revision::from_u64(rev),
        created: Timestamp::from_millis(created),
        idle: idle.map(Duration::from_millis),
        owners: read_owners(owner).map_err(RecordError::malformed)?,
        fields: read_fields(data.get()).map_err(RecordError::malformed)?,
    })
}

/// Whose the session is in one place.
#[derive(Serialize, Deserialize)]
struct WireOwner<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    since: u64,
}

fn write_owners(json: &mut Vec<u8>, owners: &Owners) {
    if owners.is_empty() {
        return;
    }
    let owners: BTreeMap<&str, WireOwner<'_>> = owners
        .as_slice()
        .iter()
        .map(|Owner { place, key, since }| {
            let key = key.to_text().into();
            let since = since.as_millis();
            (&**place, WireOwner { key, since })
        })
        .collect();
    json.extend_from_slice(b"\"owner\":");
    serde_json::to_writer(&mut *json, &owners).expect("text and numbers are written to memory");
    json.push(b',');
}

fn read_owners(owners: BTreeMap<Cow<'_, str>, WireOwner<'_>>) -> Result<Owners, serde_json::Error> {
    let no_key = || serde::de::Error::custom("an owner is the base64url of 32 bytes");
    let read = |(place, owner): (Cow<'_, str>, WireOwner<'_>)| {
        let key = OwnerKey::parse(&owner.key).ok_or_else(no_key)?;
        let since = Timestamp::from_millis(owner.since);
        let place = place.into();
        Ok(Owner { place, key, since })
    };
    let owners: Result<_, _> = owners.into_iter().map(read).collect();
    owners.map(Owners::new)
}

pub(super) fn write_fields(json: &mut Vec<u8>, fields: &Fields) {
    let mut entries = fields.iter().peekable();
    json.push(b'{');
    let mut first = true;
    while let Some(entry) = entries.next() {
        if !std::mem::take(&mut first) {
            json.push(b',');
        }
        json.push(b'"');
        json.extend_from_slice(entry.slice.unwrap_or(entry.key));
        json.extend_from_slice(b"\":");
        if entry.slice.is_none() {
            json.extend_from_slice(entry.raw);
            continue;
        }
        let rest = std::iter::from_fn(|| entries.next_if(|next| next.slice == entry.slice));
        let members = std::iter::once(entry).chain(rest);
        write_object(json, members.map(|member| (member.key, member.raw)));
    }
    json.push(b'}');
}

pub(super) fn read_fields(json: &str) -> Result<Fields, serde_json::Error> {
    let mut edit = Edit::default();
    each_member(json, |name, raw| {
        let is_empty = |object: &str| object.trim_start_matches('{').trim_start().starts_with('}');
        if !raw.starts_with('{') || is_empty(raw) {
            edit.push(None, name.as_bytes(), raw.as_bytes());
            return Ok(());
        }
        each_member(raw, |key, raw| {
            edit.push(Some(name.as_bytes()), key.as_bytes(), raw.as_bytes());
            Ok(())
        })
    })?;
    Ok(edit.pack())
}

/// Visits the members of an object: the text between the quotes of each key, and the raw value.
fn each_member<'j>(
    json: &'j str,
    visit: impl FnMut(&'j str, &'j str) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    struct Members<F>(F);

    impl<'j, F> Visitor<'j> for Members<F>
    where
        F: FnMut(&'j str, &'j str) -> Result<(), serde_json::Error>,
    {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'j>>(mut self, mut members: A) -> Result<(), A::Error> {
            while let Some((key, value)) = members.next_entry::<&RawValue, &RawValue>()? {
                let key = key.get();
                let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
                let key = key.expect("a key stands in quotes");
                (self.0)(key, value.get()).map_err(serde::de::Error::custom)?;
            }
            Ok(())
        }
    }

    impl<'j, F> DeserializeSeed<'j> for Members<F>
    where
        F: FnMut(&'j str, &'j str) -> Result<(), serde_json::Error>,
    {
        type Value = ();

        fn deserialize<D: Deserializer<'j>>(self, from: D) -> Result<(), D::Error> {
            from.deserialize_map(self)
        }
    }

    let mut from = serde_json::Deserializer::from_str(json);
    Members(visit).deserialize(&mut from)?;
    from.end()
}
