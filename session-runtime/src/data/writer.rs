//! Writes the fields of one struct as JSON, and keeps the fields that differ from before.

use std::fmt;

use super::comparing::Comparing;
use super::encodings::{Encodings, Iter};
use crate::record::{Cursor, Fields, Slice};

/// Takes the fields of one struct, in the order of `SessionData::FIELDS`.
///
/// It compares each field with its JSON from before while the field is written, and keeps only a
/// field that differs.
pub struct Writer<'b> {
    kept: Iter<'b>,
    stored: &'b Fields,
    slice: Slice<'static>,
    cursor: Cursor,
    index: usize,
    differing: Encodings,
    failed: Option<Unstorable>,
}

impl Default for Writer<'_> {
    /// Compares with nothing: every field is kept.
    fn default() -> Self {
        Self::new(Encodings::NONE, Fields::NONE, Slice::Top)
    }
}

impl<'b> Writer<'b> {
    /// Compares each field with its encoding in `kept`, or else with what `stored` holds.
    pub(super) fn new(kept: &'b Encodings, stored: &'b Fields, slice: Slice<'static>) -> Self {
        Self {
            kept: kept.iter(),
            stored,
            slice,
            cursor: Cursor::start(),
            index: 0,
            differing: Encodings::default(),
            failed: None,
        }
    }

    /// Takes one field's JSON from `write`.
    pub(super) fn push(
        &mut self,
        keys: &'static [&'static str],
        write: impl FnOnce(&mut Comparing<'_>) -> serde_json::Result<()>,
    ) {
        let expected = self.expected(keys);
        let mut json = Comparing::new(expected, self.index, &mut self.differing);
        let written = write(&mut json);
        json.finish();
        if written.is_err() {
            self.failed = Some(Unstorable { key: keys[0] });
        }
        self.index += 1;
    }

    /// The JSON that the next field held; empty where it held none.
    fn expected(&mut self, keys: &[&str]) -> &'b [u8] {
        if let Some(json) = self.kept.next_if(self.index) {
            return json;
        }
        let mut keys = keys.iter();
        let found = keys.find_map(|key| self.cursor.find_entry(self.stored, self.slice, key));
        found.unwrap_or_default()
    }

    /// The fields that differ, even if one could not be written.
    pub(super) fn written(self) -> Encodings {
        self.differing
    }

    /// The fields that differ.
    pub(super) fn finish(self) -> Result<Encodings, Unstorable> {
        match self.failed {
            Some(unstorable) => Err(unstorable),
            None => Ok(self.differing),
        }
    }
}

/// Values never print.
impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("fields", &self.index)
            .finish_non_exhaustive()
    }
}

/// A field holds a value that serde cannot write, or could not read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(test, derive(Hash))]
#[error(
    "the field stored as `{key}` holds a value that JSON cannot hold, such as NaN or a map whose keys are no strings"
)]
#[non_exhaustive]
pub struct Unstorable {
    /// The stored key of the field.
    pub key: &'static str,
}
