//! Describes one field: its column, which knows the type, and the `dyn Field` that the commit uses.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::comparing::Comparing;
use super::reader::Reader;
use super::writer::{Unstorable, Writer};

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

/// One stored field, as the derive describes it.
///
/// It is there for every `T`: one that is not [`Stored`] fails at [`json`], and only there.
pub struct Column<T> {
    /// The stored key, then the keys that are also read.
    pub keys: &'static [&'static str],
    /// The value of an absent field; without one the whole struct is absent.
    pub default: Option<fn() -> T>,
    /// How values are written and read.
    pub json: Json<T>,
    /// How concurrent changes are joined; without a rule the last writer wins.
    pub merge: Option<fn(&T, T, T) -> T>,
    /// A change gives the session a new id.
    pub privilege: bool,
    /// It names the session's user, by which stores index sessions; it is a privilege then.
    pub owner: bool,
}

/// Writes and reads the values of one type.
#[derive(Debug)]
pub struct Json<T> {
    write: fn(&T, &mut Comparing<'_>) -> serde_json::Result<()>,
    read: fn(&[u8]) -> serde_json::Result<T>,
}

/// The JSON of a type that serde knows.
#[must_use]
pub const fn json<T: Stored>() -> Json<T> {
    Json {
        write,
        read: |json| serde_json::from_slice(json),
    }
}

pub(super) fn write<T: Stored>(value: &T, into: &mut Comparing<'_>) -> serde_json::Result<()> {
    // The compiler knows the answer: for other types, no code remains.
    if let Some(text) = (value as &dyn Any).downcast_ref::<String>()
        && into.skip_text(text)
    {
        return Ok(());
    }
    serde_json::to_writer(into, value)
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
    pub fn encode(&self, value: &T, into: &mut Writer<'_>) {
        into.push(self.keys, |json| (self.json.write)(value, json));
    }
}

impl<T> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// A [`Column`] without its type: all that the commit needs of a field.
pub trait Field: fmt::Debug + Send + Sync {
    /// The stored key, then the keys that are also read.
    fn keys(&self) -> &'static [&'static str];

    /// A change gives the session a new id.
    fn is_privilege(&self) -> bool;

    /// It names the session's user, by which stores index sessions.
    fn is_owner(&self) -> bool;

    /// Refuses a value that cannot be read back.
    ///
    /// # Errors
    ///
    /// [`Unstorable`] with the field's key.
    fn check(&self, json: &[u8]) -> Result<(), Unstorable>;

    /// Joins a change from `base` to `mine` with what is stored.
    fn merge<'m>(&self, base: &[u8], mine: &'m [u8], stored: Option<&[u8]>) -> Cow<'m, [u8]>;
}

/// Fields are told apart by their keys: a slice has no two fields with one key.
impl PartialEq for dyn Field {
    fn eq(&self, other: &Self) -> bool {
        self.keys() == other.keys()
    }
}

impl Eq for dyn Field {}

impl Hash for dyn Field {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keys().hash(state);
    }
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

    fn check(&self, json: &[u8]) -> Result<(), Unstorable> {
        match (self.json.read)(json) {
            Ok(_) => Ok(()),
            Err(_) => Err(Unstorable { key: self.keys[0] }),
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
            let mut writer = Writer::default();
            self.encode(value, &mut writer);
            writer.finish().ok()?.into_first()
        };
        // An absent field holds its default.
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
