//! Finds one struct's fields in a record; decodes nothing.

use std::borrow::Cow;

use crate::record::{Cursor, Fields, Slice};

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

    pub(super) fn find(&mut self, keys: &[&str]) -> Option<Cow<'f, [u8]>> {
        keys.iter()
            .find_map(|key| self.cursor.find(self.fields, self.slice, key))
    }

    // serde_json's own message may quote a stored value, so only the kind of error is shown.
    pub(super) fn warn_undecodable(&self, key: &str, error: &serde_json::Error) {
        tracing::warn!(
            target: "sessile",
            slice = ?self.slice,
            key,
            kind = ?error.classify(),
            "a stored field no longer decodes: it counts as absent"
        );
    }
}
