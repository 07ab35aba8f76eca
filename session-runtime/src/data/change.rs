//! Keeps the changes of a request, and applies them to whatever is stored when it commits.

use super::SessionData;
use super::column::Field;
use super::raw::Raw;
use super::writer::{Unstorable, Writer};
use crate::expiry::Timestamp;
use crate::record::{Edit, Fields, OwnerKey, Owners, Slice};

/// One change of a session; it is applied again after each conflict.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// The change that puts `value` in the place of what stands in its slice.
pub(crate) fn insertion<T: SessionData>(value: &T) -> Result<Change, Unstorable> {
    let mut writer = Writer::default();
    value.encode(&mut writer);
    let written = writer.finish()?;
    let values = written.iter().map(|(index, json)| {
        let field = T::FIELDS[index];
        field.check(json)?;
        Ok((field, json.into()))
    });
    let values = values.collect::<Result<_, _>>()?;
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

/// The owners after `changes`; `since` gives each new owner's sign-in time.
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

/// The place of a record under which it names the owner in this field. Each owner field has a place
/// of its own.
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
    /// The owners after the change.
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
                after,
                ..
            } if field.is_owner() => own(owners, *slice, *field, after.json()),
            Self::Set { .. } => owners,
            Self::Insert { slice, values } => {
                let left = leave(owners, *slice, values.iter().map(|(field, _)| *field));
                let named = values.iter().filter(|(field, _)| field.is_owner());
                named.fold(left, |owners, (field, value)| {
                    own(owners, *slice, *field, value.json())
                })
            }
            Self::Remove { slice, fields } => leave(owners, *slice, fields.iter().copied()),
            Self::Clear => Owners::default(),
        }
    }

    /// It changes a privilege of the visitor.
    pub(crate) fn is_of_privilege(&self) -> bool {
        match self {
            Self::Set { field, .. } => field.is_privilege(),
            Self::Insert { values, .. } => values.iter().any(|(field, _)| field.is_privilege()),
            Self::Remove { fields, .. } => fields.iter().any(|field| field.is_privilege()),
            Self::Clear => true,
        }
    }

    /// It changes the owner of the session.
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
            before,
            after,
        } = self
        else {
            return None;
        };
        fields.with(*slice, field.keys()[0], |stored| {
            field.merge(before.json(), after.json(), Some(stored))
        })
    }

    fn apply<'c>(&'c self, edit: &mut Edit<'c>) {
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
                let merged = field.merge(before.json(), after.json(), stored.as_deref());
                edit.set(*slice, key.unwrap_or(field.keys()[0]), merged);
            }
            Self::Insert { slice, values } => {
                take_out(edit, *slice, values.iter().map(|(field, _)| *field));
                for (field, value) in values {
                    edit.set(*slice, field.keys()[0], value.json());
                }
            }
            Self::Remove { slice, fields } => take_out(edit, *slice, fields.iter().copied()),
            Self::Clear => edit.clear(),
        }
    }
}

/// The owners after a struct with these fields is removed.
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
