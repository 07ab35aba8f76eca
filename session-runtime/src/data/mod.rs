//! Reads a user's struct from a record's fields and writes its changes back; knows nothing of
//! requests, cookies and stores.
//!
//! The derive emits one [`Column`] per field and two methods that walk them. Everything else happens
//! here, once for all types: a struct is encoded before it is lent out as `&mut` and again when it
//! comes back, what differs becomes a change, and changes are applied to whatever is stored by
//! then. Each encoding is compared while it is written, so that only what differs is kept.

mod baseline;
mod change;
mod column;
mod comparing;
mod encodings;
mod owned;
mod raw;
mod reader;
mod writer;

use std::any::TypeId;

pub(crate) use self::baseline::{Baseline, changes};
pub(crate) use self::change::{Change, apply, insertion, owner_place, owners, removal};
pub use self::column::{Column, Field, HasDefault, Stored, default, json};
pub use self::owned::Owned;
pub use self::reader::Reader;
pub use self::writer::{Unstorable, Writer};
use crate::record::{Fields, OwnerKey, Slice};

/// A struct that lives in a session. `#[derive(Session)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session: add `#[derive(Session)]` to it",
    label = "this struct has no `#[derive(Session)]`"
)]
pub trait SessionData: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    /// The slice of the record that holds the struct.
    const SLICE: Slice<'static>;

    #[doc(hidden)]
    /// The stored fields, in the order in which `encode` writes them.
    const FIELDS: &'static [&'static dyn Field];

    #[doc(hidden)]
    /// Reads every field; `None` where one that has no default is not there.
    fn load(from: &mut Reader<'_>) -> Option<Self>;

    #[doc(hidden)]
    /// Writes every stored field.
    fn encode(&self, into: &mut Writer<'_>);
}

/// A struct as the layer knows it: enough to keep two from sharing a name.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) id: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) slice: Slice<'static>,
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

/// How a store knows the owner of `T`. `None` for a value that is nobody, as `null`.
pub(crate) fn owner_key<T: Owned>(owner: &T::Owner) -> Result<Option<OwnerKey>, Unstorable> {
    let mut writer = Writer::default();
    T::encode_owner(owner, &mut writer);
    let json = writer.finish()?.into_first();
    let json = json.expect("an owner is one value");
    let field = T::FIELDS.iter().find(|field| field.is_owner());
    let field = field.expect("an owner stands in a field that is marked so");
    Ok(owner_place(T::SLICE, *field).owner(&json))
}

#[cfg(test)]
mod tests;
