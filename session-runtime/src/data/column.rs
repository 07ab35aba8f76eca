//! What the derive knows of one field, and what the commit knows of it once its type is forgotten.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::encoded::Encoded;
use super::reader::Reader;

/// A type that can be a field: anything that serde can write and read back without borrowing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a session",
    label = "this type has no `Serialize` and `Deserialize`",
    note = "derive both serde traits for it: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "or keep the field out of the store: `#[session(skip)]`"
)]
pub trait Stored: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Stored for T {}

/// A type whose fields need no `default = …`: any that has [`Default`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default value",
    label = "this type has no `Default`",
    note = "say what the field is where nothing is stored: `#[session(default = ..)]`",
    note = "or implement `Default` for the type"
)]
pub trait HasDefault {
    /// That value.
    fn value() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {
    fn value() -> Self {
        T::default()
    }
}

/// The value of a field without `default = …`.
#[must_use]
pub fn default<T: HasDefault>() -> T {
    T::value()
}

/// What the derive knows of one stored field.
///
/// It is there for every `T`: one that is not [`Stored`] fails at [`json`], and only there.
pub struct Column<T> {
    /// The stored key, then the keys that are also read.
    pub keys: &'static [&'static str],
    /// The value of an absent field; without one the whole struct is absent.
    pub default: Option<fn() -> T>,
    /// How values are written and read.
    pub json: Json<T>,
    /// Compares by `==`; `None` where the type has none: see [`Pair`].
    pub same: fn(&T, &T) -> Option<bool>,
    /// How concurrent changes are joined; without a rule the last writer wins.
    pub merge: Option<fn(&T, T, T) -> T>,
    /// Whether a change gives the session a new id.
    pub privilege: bool,
    /// Whether it names the session's user, for sessions to be indexed by; a privilege then.
    pub owner: bool,
}

/// Writes and reads the values of one type.
#[derive(Debug)]
pub struct Json<T> {
    write: fn(&T, &mut Vec<u8>) -> serde_json::Result<()>,
    read: fn(&[u8]) -> serde_json::Result<T>,
}

/// The JSON of a type that serde knows.
#[must_use]
pub const fn json<T: Stored>() -> Json<T> {
    Json {
        write: |value, into| serde_json::to_writer(into, value),
        read: |json| serde_json::from_slice(json),
    }
}

impl<T> Column<T> {
    /// The stored value, or the default where nothing is stored or it no longer decodes.
    ///
    /// `None` where there is no default, and where a privilege does not decode: it fails closed.
    pub fn load(&self, from: &mut Reader<'_>) -> Option<T> {
        let default = || self.default.map(|default| default());
        let Some(raw) = from.find(self.keys) else {
            return default();
        };
        let read = (self.json.read)(&raw);
        read.map_or_else(
            |error| {
                from.warn_undecodable(self.keys[0], &error);
                if self.privilege { None } else { default() }
            },
            Some,
        )
    }

    /// Writes one value.
    pub fn encode(&self, value: &T, into: &mut Encoded) {
        into.push(self.keys[0], |json| (self.json.write)(value, json));
    }
}

impl<T> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// A [`Column`] whose type is forgotten: what the commit knows of a field.
pub trait Field: fmt::Debug + Send + Sync {
    /// The stored key, then the keys that are also read.
    fn keys(&self) -> &'static [&'static str];

    /// Whether a change gives the session a new id.
    fn is_privilege(&self) -> bool;

    /// Whether it names the session's user, for sessions to be indexed by.
    fn is_owner(&self) -> bool;

    /// Compares two encodings of the field that are not the same bytes.
    fn compare(&self, before: &[u8], after: &[u8]) -> Comparison;

    /// Joins a change from `base` to `mine` with what is stored.
    fn merge<'m>(&self, base: &[u8], mine: &'m [u8], stored: Option<&[u8]>) -> Cow<'m, [u8]>;
}

/// What two encodings of a field have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same value, written differently.
    Same,
    /// Another value.
    Changed,
    /// The later one cannot be read back, so it must not be stored.
    Unreadable,
}

impl<T> Field for Column<T> {
    fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    fn is_privilege(&self) -> bool {
        self.privilege
    }

    fn is_owner(&self) -> bool {
        self.owner
    }

    fn compare(&self, before: &[u8], after: &[u8]) -> Comparison {
        let Ok(new) = (self.json.read)(after) else {
            return Comparison::Unreadable;
        };
        let Ok(old) = (self.json.read)(before) else {
            return Comparison::Changed;
        };
        let same = match (self.same)(&old, &new) {
            // An `==` that compares less than everything must not keep a privilege that was withdrawn.
            Some(equal) if self.privilege => equal && same_json(before, after),
            Some(equal) => equal,
            None => same_json(before, after),
        };
        if same {
            Comparison::Same
        } else {
            Comparison::Changed
        }
    }

    fn merge<'m>(&self, base: &[u8], mine: &'m [u8], stored: Option<&[u8]>) -> Cow<'m, [u8]> {
        let merged = self.try_merge(base, mine, stored);
        merged.map_or(Cow::Borrowed(mine), Cow::Owned)
    }
}

impl<T> Column<T> {
    /// `None` where there is nothing to join: no rule, no other change, or a value that this version
    /// does not read.
    fn try_merge(&self, base: &[u8], mine: &[u8], stored: Option<&[u8]>) -> Option<Vec<u8>> {
        let rule = self.merge?;
        let write = |value: &T| {
            let mut json = Vec::new();
            (self.json.write)(value, &mut json).ok().map(|()| json)
        };
        // What is not stored is the default.
        let stored = match stored {
            Some(raw) => Cow::Borrowed(raw),
            None => Cow::Owned(write(&self.default?())?),
        };
        if *stored == *base {
            return None;
        }
        let read = |raw| (self.json.read)(raw).ok();
        let merged = write(&rule(&read(base)?, read(mine)?, read(&stored)?))?;
        // A sum of floats may be infinite, which JSON does not hold.
        read(&merged).is_some().then_some(merged)
    }
}

/// Whether two texts are the same JSON value, whatever the order of an object's members. Numbers are
/// compared as they are written, since no number type holds all of them.
fn same_json(a: &[u8], b: &[u8]) -> bool {
    fn same(a: &RawValue, b: &RawValue) -> bool {
        let (a, b) = (a.get(), b.get());
        match a.as_bytes() {
            [b'{', ..] => same_parts::<BTreeMap<String, &RawValue>>(a, b, |a, b| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
            }),
            [b'[', ..] => same_parts::<Vec<&RawValue>>(a, b, |a, b| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }),
            _ => a == b,
        }
    }
    same_parts::<&RawValue>(a, b, |a, b| same(a, b))
}

/// Compares two texts that have the same shape; others differ.
fn same_parts<'j, T: Deserialize<'j>>(
    a: &'j (impl AsRef<[u8]> + ?Sized),
    b: &'j (impl AsRef<[u8]> + ?Sized),
    same: impl FnOnce(&T, &T) -> bool,
) -> bool {
    let read = |json| serde_json::from_slice::<T>(json).ok();
    matches!((read(a.as_ref()), read(b.as_ref())), (Some(a), Some(b)) if same(&a, &b))
}

/// Two values that are equal by `==` where their type has it.
///
/// The derive calls `__same` on `&Pair`: [`ByEq`] applies at once where there is `PartialEq`;
/// otherwise the compiler goes on to [`ByJson`], one reference further.
pub struct Pair<'a, T>(pub &'a T, pub &'a T);

/// Values never print.
impl<T> fmt::Debug for Pair<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair(..)")
    }
}

/// Compares by `==`.
pub trait ByEq {
    /// Whether both are equal.
    fn __same(&self) -> Option<bool>;
}

impl<T: PartialEq> ByEq for Pair<'_, T> {
    fn __same(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// Leaves the comparison to the JSON of both values.
pub trait ByJson {
    /// Always `None`: there is no `==`.
    fn __same(&self) -> Option<bool>;
}

impl<T> ByJson for &Pair<'_, T> {
    fn __same(&self) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_shows_no_value() {
        assert_eq!(format!("{:?}", Pair(&"ada", &"bob")), "Pair(..)");
    }

    #[test]
    fn the_order_of_members_does_not_matter_and_every_digit_does() {
        for (a, b, same) in [
            (
                r#"{"a":1,"b":[{"c":2,"d":3}]}"#,
                r#"{"b":[{"d":3,"c":2}],"a":1}"#,
                true,
            ),
            ("18446744073709551616", "18446744073709551621", false),
            ("[1,2]", "[2,1]", false),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            ("[1]", r#"{"0":1}"#, false),
            ("null", "null", true),
        ] {
            assert_eq!(same_json(a.as_bytes(), b.as_bytes()), same, "{a} {b}");
        }
    }
}
