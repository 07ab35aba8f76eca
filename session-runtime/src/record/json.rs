//! Reads and writes a record's owners and fields as JSON; knows no revision.
//!
//! Owners are `{"account":{"key":..,"since":<ms>}}`, fields are `{"visits":{"page_views":3}}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fields::{Edit, Fields, write_object};
use super::owners::{Owner, OwnerKey, Owners};
use crate::expiry::Timestamp;

/// An owner in one place of the session.
#[derive(Serialize, Deserialize)]
pub(super) struct WireOwner<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    since: u64,
}

pub(super) fn write_owners(json: &mut Vec<u8>, owners: &Owners) {
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

pub(super) fn read_owners(
    owners: BTreeMap<Cow<'_, str>, WireOwner<'_>>,
) -> Result<Owners, serde_json::Error> {
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

/// JSON that was written to memory.
pub(super) fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("fields hold what was read from strings")
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
