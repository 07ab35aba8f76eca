//! Remembers the fields of a struct, and finds the fields that changed.

use super::change::Change;
use super::encodings::Encodings;
use super::raw::Raw;
use super::writer::{Unstorable, Writer};
use super::{Field, SessionData};
use crate::record::Fields;

/// The fields of a struct as they were when it was first lent out as `&mut`.
pub(crate) struct Baseline {
    stored: Fields,
    /// The fields whose JSON differs from the stored JSON: a set in another order, the default of
    /// an absent field. All other fields are as they are stored, and are not copied.
    kept: Encodings,
}

impl Baseline {
    /// The fields of `value`, compared with `stored`. Any record gives the right baseline; the one
    /// that the value was read from gives the cheapest.
    pub(crate) fn of<T: SessionData>(value: &T, stored: Fields) -> Self {
        let mut writer = Writer::new(Encodings::NONE, &stored, T::SLICE);
        value.encode(&mut writer);
        let kept = writer.written();
        Self { stored, kept }
    }

    /// The JSON that one field held.
    fn raw<T: SessionData>(&self, index: usize, field: &dyn Field) -> Raw {
        if let Some((_, json)) = self.kept.iter().find(|(kept, _)| *kept == index) {
            return json.into();
        }
        let mut keys = field.keys().iter();
        let found = keys.find_map(|key| self.stored.locate(T::SLICE, key));
        found.map_or(Raw::Own(Box::default()), |at| Raw::Stored {
            fields: self.stored.clone(),
            at,
        })
    }
}

/// The fields of `value` whose JSON differs from `before`.
///
/// Both encodings are of one value in memory, so bytes are enough: an untouched set iterates in the
/// same order both times.
pub(crate) fn changes<T: SessionData>(
    before: &Baseline,
    value: &T,
) -> Result<Vec<Change>, Unstorable> {
    let mut writer = Writer::new(&before.kept, &before.stored, T::SLICE);
    value.encode(&mut writer);
    let differing = writer.finish()?;
    let changes = differing.iter().map(|(index, after)| {
        let field = T::FIELDS[index];
        field.check(after)?;
        Ok(Change::Set {
            slice: T::SLICE,
            field,
            before: before.raw::<T>(index, field),
            after: after.into(),
        })
    });
    changes.collect()
}
