//! What a request did to its session, to be done again on whatever is stored by then.

use std::fmt;

use super::column::{Comparison, Field};
use super::encoded::{Encoded, Unstorable};
use super::{SessionData, encode};
use crate::expiry::Timestamp;
use crate::record::{Edit, Fields, OwnerKey, Owners, Slice};

/// One thing that a request did to its session, to be done again on whatever is stored by then.
#[derive(Debug)]
pub(crate) enum Change {
    /// A field got another value.
    Set {
        slice: Slice<'static>,
        field: &'static dyn Field,
        values: BeforeAndAfter,
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

/// What a field held before a change and what after it, in one allocation; it never prints.
pub(crate) struct BeforeAndAfter {
    json: Box<[u8]>,
    before: usize,
}

impl BeforeAndAfter {
    fn new(before: &[u8], after: &[u8]) -> Self {
        Self {
            json: [before, after].concat().into(),
            before: before.len(),
        }
    }

    fn before(&self) -> &[u8] {
        &self.json[..self.before]
    }

    fn after(&self) -> &[u8] {
        &self.json[self.before..]
    }
}

impl fmt::Debug for BeforeAndAfter {
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
                values: BeforeAndAfter::new(before, after),
            }),
        }
    }
    Ok(changes)
}

/// The change that puts `value` in the place of what stands in its slice.
pub(crate) fn insertion<T: SessionData>(value: &T) -> Result<Change, Unstorable> {
    let encoded = encode(value, 0);
    for (field, json) in T::FIELDS.iter().zip(encoded.values()?) {
        if field.compare(json, json) == Comparison::Unreadable {
            return Err(Unstorable {
                key: field.keys()[0],
            });
        }
    }
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
    if let [change] = changes
        && let Some(changed) = change.apply_in_place(fields)
    {
        return changed;
    }
    let mut edit = fields.edit();
    for change in changes {
        change.apply(&mut edit);
    }
    edit.pack()
}

/// Whose the session is after `changes`; `since` says when who signs in by one of them has done so.
pub(crate) fn owners(
    changes: &[Change],
    owners: &Owners,
    since: impl Fn(OwnerKey) -> Timestamp,
) -> Owners {
    let owners = owners.clone();
    changes
        .iter()
        .fold(owners, |owners, change| change.owners(owners, &since))
}

/// Where a record says whose the session is, if it is in this field. Each such field has a place of
/// its own.
pub(crate) fn owner_place(slice: Slice<'static>, field: &dyn Field) -> OwnerPlace {
    OwnerPlace(match slice {
        Slice::Named(name) => name,
        Slice::Top => field.keys()[0],
    })
}

pub(crate) struct OwnerPlace(&'static str);

impl OwnerPlace {
    /// The owner who has this value there; `null` is nobody.
    pub(crate) fn owner(&self, json: &[u8]) -> Option<OwnerKey> {
        (json != b"null").then(|| OwnerKey::of(self.0, json))
    }
}

impl Change {
    /// Whose the session is after the change.
    fn owners(&self, owners: Owners, since: impl Fn(OwnerKey) -> Timestamp) -> Owners {
        let own = |owners: Owners, slice, field: &dyn Field, value: &[u8]| {
            let place = owner_place(slice, field);
            match place.owner(value) {
                Some(owner) => owners.with(place.0, owner, since(owner)),
                None => owners.without(place.0),
            }
        };
        match self {
            Self::Set {
                slice,
                field,
                values,
            } if field.is_owner() => own(owners, *slice, *field, values.after()),
            Self::Set { .. } => owners,
            Self::Insert { slice, values } => {
                let left = leave(owners, *slice, values.iter().map(|(field, _)| *field));
                let named = values.iter().filter(|(field, _)| field.is_owner());
                named.fold(left, |owners, (field, value)| {
                    own(owners, *slice, *field, &value.0)
                })
            }
            Self::Remove { slice, fields } => leave(owners, *slice, fields.iter().copied()),
            Self::Clear => Owners::default(),
        }
    }

    /// Whether it changes what the visitor may do.
    pub(crate) fn is_of_privilege(&self) -> bool {
        match self {
            Self::Set { field, .. } => field.is_privilege(),
            Self::Insert { values, .. } => values.iter().any(|(field, _)| field.is_privilege()),
            Self::Remove { fields, .. } => fields.iter().any(|field| field.is_privilege()),
            Self::Clear => true,
        }
    }

    /// Whether it changes whose the session is.
    pub(crate) fn is_of_owner(&self) -> bool {
        match self {
            Self::Set { field, .. } => field.is_owner(),
            Self::Insert { values, .. } => values.iter().any(|(field, _)| field.is_owner()),
            Self::Remove { fields, .. } => fields.iter().any(|field| field.is_owner()),
            Self::Clear => true,
        }
    }

    /// As [`apply`](Self::apply), where it is the value of a stored field that changes, and nothing else.
    fn apply_in_place(&self, fields: &Fields) -> Option<Fields> {
        let Self::Set {
            slice,
            field,
            values,
        } = self
        else {
            return None;
        };
        fields.with(*slice, field.keys()[0], |stored| {
            field.merge(values.before(), values.after(), Some(stored))
        })
    }

    fn apply<'c>(&'c self, edit: &mut Edit<'c>) {
        match self {
            Self::Set {
                slice,
                field,
                values,
            } => {
                let found = field
                    .keys()
                    .iter()
                    .find_map(|key| Some((*key, edit.get(*slice, key)?)));
                let (key, stored) = found.unzip();
                let merged = field.merge(values.before(), values.after(), stored.as_deref());
                edit.set(*slice, key.unwrap_or(field.keys()[0]), merged);
            }
            Self::Insert { slice, values } => {
                take_out(edit, *slice, values.iter().map(|(field, _)| *field));
                for (field, value) in values {
                    edit.set(*slice, field.keys()[0], &*value.0);
                }
            }
            Self::Remove { slice, fields } => take_out(edit, *slice, fields.iter().copied()),
            Self::Clear => edit.clear(),
        }
    }
}

/// Whose the session is once a struct with these fields is taken out.
fn leave(
    owners: Owners,
    slice: Slice<'static>,
    fields: impl Iterator<Item = &'static dyn Field>,
) -> Owners {
    match slice {
        Slice::Named(name) => owners.without(name),
        Slice::Top => fields
            .filter(|field| field.is_owner())
            .fold(owners, |owners, field| {
                owners.without(owner_place(slice, field).0)
            }),
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
