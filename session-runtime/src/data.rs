//! Reads a user's struct from a record's fields and writes its changes back; knows nothing of
//! requests, cookies and stores.
//!
//! The derive emits one [`Column`] per field and two methods that walk them. Everything else happens
//! here, once for all types: a struct is encoded before it is lent out as `&mut` and again when it
//! comes back, what differs becomes a change, and changes are applied to whatever is stored by
//! then.

use std::any::TypeId;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record::{Cursor, Edit, Fields, Slice};

/// A struct that lives in a session. `#[derive(Session)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session: add `#[derive(Session)]` to it",
    label = "this struct has no `#[derive(Session)]`"
)]
pub trait SessionData: Sized + Send + Sync + 'static {
    /// Where the struct stands in the record.
    const SLICE: Slice<'static>;

    /// The stored fields, in the order in which `encode` writes them.
    const FIELDS: &'static [&'static dyn Field];

    /// Reads every field; `None` where one that has no default is not there.
    fn load(from: &mut Reader<'_>) -> Option<Self>;

    /// Writes every stored field.
    fn encode(&self, into: &mut Encoded);
}

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
    /// The value of an absent field.
    pub default: fn() -> T,
    /// How values are written and read.
    pub json: Json<T>,
    /// Compares by `==`; `None` where the type has none: see [`Pair`].
    pub same: fn(&T, &T) -> Option<bool>,
    /// How concurrent changes are joined; without a rule the last writer wins.
    pub merge: Option<fn(&T, T, T) -> T>,
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
    pub fn load(&self, from: &mut Reader<'_>) -> T {
        let Some(raw) = from.find(self.keys) else {
            return (self.default)();
        };
        (self.json.read)(&raw).unwrap_or_else(|error| {
            from.warn_undecodable(self.keys[0], &error);
            (self.default)()
        })
    }

    /// Writes one value.
    pub fn encode(&self, value: &T, into: &mut Encoded) {
        into.push(self, value);
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

    /// Compares two encodings of the field that are not the same bytes.
    fn compare(&self, before: &[u8], after: &[u8]) -> Comparison;

    /// Joins a change from `base` to `mine` with what is stored.
    fn merge(&self, base: &[u8], mine: &[u8], stored: Option<&[u8]>) -> Vec<u8>;
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

    fn compare(&self, before: &[u8], after: &[u8]) -> Comparison {
        let Ok(new) = (self.json.read)(after) else {
            return Comparison::Unreadable;
        };
        let Ok(old) = (self.json.read)(before) else {
            return Comparison::Changed;
        };
        let same = (self.same)(&old, &new).unwrap_or_else(|| same_json(before, after));
        if same {
            Comparison::Same
        } else {
            Comparison::Changed
        }
    }

    fn merge(&self, base: &[u8], mine: &[u8], stored: Option<&[u8]>) -> Vec<u8> {
        self.try_merge(base, mine, stored)
            .unwrap_or_else(|| mine.to_vec())
    }
}

impl<T> Column<T> {
    /// `None` where there is nothing to join: no rule, no other change, or a value that this version
    /// does not read.
    fn try_merge(&self, base: &[u8], mine: &[u8], stored: Option<&[u8]>) -> Option<Vec<u8>> {
        let rule = self.merge?;
        if stored == Some(base) {
            return None;
        }
        let read = |raw| (self.json.read)(raw).ok();
        let theirs = match stored {
            Some(raw) => read(raw)?,
            None => (self.default)(),
        };
        let mut merged = Vec::new();
        (self.json.write)(&rule(&read(base)?, read(mine)?, theirs), &mut merged).ok()?;
        Some(merged)
    }
}

/// Whether two texts are the same JSON value, whatever the order of an object's members.
fn same_json(a: &[u8], b: &[u8]) -> bool {
    let read = |raw| serde_json::from_slice::<serde_json::Value>(raw).ok();
    matches!((read(a), read(b)), (Some(a), Some(b)) if a == b)
}

/// Two values that are equal by `==` where their type has it.
///
/// The derive calls `same` on `&Pair`: [`ByEq`] applies at once where there is `PartialEq`;
/// otherwise the compiler goes on to [`ByJson`], one reference further.
#[derive(Debug)]
pub struct Pair<'a, T>(pub &'a T, pub &'a T);

/// Compares by `==`.
pub trait ByEq {
    /// Whether both are equal.
    fn same(&self) -> Option<bool>;
}

impl<T: PartialEq> ByEq for Pair<'_, T> {
    fn same(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// Leaves the comparison to the JSON of both values.
pub trait ByJson {
    /// Always `None`: there is no `==`.
    fn same(&self) -> Option<bool>;
}

impl<T> ByJson for &Pair<'_, T> {
    fn same(&self) -> Option<bool> {
        None
    }
}

/// Reads one struct's fields, each search beginning where the last one ended.
#[derive(Debug)]
pub struct Reader<'f> {
    fields: &'f Fields,
    slice: Slice<'static>,
    cursor: Cursor,
}

impl<'f> Reader<'f> {
    pub(crate) fn new(fields: &'f Fields, slice: Slice<'static>) -> Self {
        Self {
            fields,
            slice,
            cursor: Cursor::start(),
        }
    }

    fn find(&mut self, keys: &[&str]) -> Option<std::borrow::Cow<'f, [u8]>> {
        keys.iter()
            .find_map(|key| self.cursor.find(self.fields, self.slice, key))
    }

    // serde_json's own message may quote a stored value, so only the kind of error is shown.
    fn warn_undecodable(&self, key: &str, error: &serde_json::Error) {
        tracing::warn!(
            slice = ?self.slice,
            key,
            kind = ?error.classify(),
            "a stored field no longer decodes: its default takes its place"
        );
    }
}

/// What the layer knows of a struct: enough to keep two from sharing a name.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) id: TypeId,
    pub(crate) type_name: &'static str,
    slice: Slice<'static>,
    fields: &'static [&'static dyn Field],
}

impl Shape {
    pub(crate) fn of<T: SessionData>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            slice: T::SLICE,
            fields: T::FIELDS,
        }
    }

    /// The top-level names of a record that the struct stands under.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let (slice, fields) = match self.slice {
            Slice::Named(name) => (Some(name), Default::default()),
            Slice::Top => (None, self.fields),
        };
        let keys = fields.iter().flat_map(|field| field.keys().iter().copied());
        slice.into_iter().chain(keys)
    }
}

/// Reads a struct from a record's fields.
pub(crate) fn read<T: SessionData>(fields: &Fields) -> Option<T> {
    T::load(&mut Reader::new(fields, T::SLICE))
}

/// The stored fields of one struct as JSON, in the order of [`SessionData::FIELDS`].
#[derive(Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    failed: Option<Unstorable>,
}

impl Encoded {
    pub(crate) fn of<T: SessionData>(value: &T) -> Self {
        let mut encoded = Self::default();
        value.encode(&mut encoded);
        encoded
    }

    fn push<T>(&mut self, column: &Column<T>, value: &T) {
        if (column.json.write)(value, &mut self.bytes).is_err() {
            let key = column.keys[0];
            self.failed = Some(Unstorable { key });
        }
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }

    /// The values, unless one could not be written.
    fn values(&self) -> Result<impl Iterator<Item = &[u8]>, Unstorable> {
        match self.failed {
            Some(unstorable) => Err(unstorable),
            None => Ok(self.iter()),
        }
    }
}

/// Values never print.
impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("fields", &self.ends.len())
            .finish_non_exhaustive()
    }
}

/// A field holds a value that serde cannot write, or could not read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the field stored as `{key}` holds a value that JSON cannot hold, such as NaN or a map whose keys are no strings"
)]
pub struct Unstorable {
    /// The stored key of the field.
    pub key: &'static str,
}

/// One thing that a request did to its session, to be done again on whatever is stored by then.
#[derive(Debug)]
pub(crate) enum Change {
    /// A field got another value.
    Set {
        slice: Slice<'static>,
        field: &'static dyn Field,
        before: Raw,
        after: Raw,
    },
    /// A struct was put in the place of what was there.
    Insert {
        slice: Slice<'static>,
        values: Vec<(&'static dyn Field, Raw)>,
    },
    /// A struct was taken out.
    Remove {
        slice: Slice<'static>,
        fields: &'static [&'static dyn Field],
    },
    /// Everything was taken out.
    Clear,
}

/// One encoded value; it never prints.
pub(crate) struct Raw(Box<[u8]>);

impl From<&[u8]> for Raw {
    fn from(json: &[u8]) -> Self {
        Self(json.into())
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// The fields of `T` whose value differs, each with the value it had.
pub(crate) fn changes<T: SessionData>(
    before: &Encoded,
    after: &Encoded,
) -> Result<Vec<Change>, Unstorable> {
    let mut changes = Vec::new();
    let pairs = before.iter().zip(after.values()?);
    for (&field, (before, after)) in T::FIELDS.iter().zip(pairs) {
        if before == after {
            continue;
        }
        match field.compare(before, after) {
            Comparison::Same => {}
            Comparison::Unreadable => {
                return Err(Unstorable {
                    key: field.keys()[0],
                });
            }
            Comparison::Changed => changes.push(Change::Set {
                slice: T::SLICE,
                field,
                before: before.into(),
                after: after.into(),
            }),
        }
    }
    Ok(changes)
}

/// The change that puts `value` in the place of what stands in its slice.
pub(crate) fn insertion<T: SessionData>(value: &T) -> Result<Change, Unstorable> {
    let encoded = Encoded::of(value);
    let values = T::FIELDS
        .iter()
        .copied()
        .zip(encoded.values()?.map(Raw::from))
        .collect();
    Ok(Change::Insert {
        slice: T::SLICE,
        values,
    })
}

/// The change that takes `T` out of the session.
pub(crate) fn removal<T: SessionData>() -> Change {
    Change::Remove {
        slice: T::SLICE,
        fields: T::FIELDS,
    }
}

/// Does `changes` to `fields`, in order; a field that differs from what its change began with is
/// merged by its rule.
pub(crate) fn apply(changes: &[Change], fields: &Fields) -> Fields {
    let mut edit = fields.edit();
    for change in changes {
        change.apply(&mut edit);
    }
    edit.pack()
}

impl Change {
    fn apply(&self, edit: &mut Edit<'_>) {
        match self {
            Self::Set {
                slice,
                field,
                before,
                after,
            } => {
                let found = field
                    .keys()
                    .iter()
                    .find_map(|key| Some((*key, edit.get(*slice, key)?)));
                let (key, stored) = found.unzip();
                let merged = field.merge(&before.0, &after.0, stored.as_deref());
                edit.set(*slice, key.unwrap_or(field.keys()[0]), merged);
            }
            Self::Insert { slice, values } => {
                take_out(edit, *slice, values.iter().map(|(field, _)| *field));
                for (field, value) in values {
                    edit.set(*slice, field.keys()[0], value.0.to_vec());
                }
            }
            Self::Remove { slice, fields } => take_out(edit, *slice, fields.iter().copied()),
            Self::Clear => edit.clear(),
        }
    }
}

/// A named slice goes whole; at the top level only the struct's own keys go.
fn take_out(
    edit: &mut Edit<'_>,
    slice: Slice<'_>,
    fields: impl Iterator<Item = &'static dyn Field>,
) {
    match slice {
        Slice::Named(_) => edit.remove_slice(slice),
        Slice::Top => {
            for key in fields.flat_map(Field::keys) {
                edit.remove(slice, key);
            }
        }
    }
}
