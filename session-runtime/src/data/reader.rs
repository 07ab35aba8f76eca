//! Finds one struct's fields in a record; decodes nothing.

use std::borrow::Cow;

use serde_json::error::Category;

use crate::record::{Cursor, Fields, Slice};

/// Reads one struct's fields, each search beginning where the last one ended.
#[derive(Debug)]
pub struct Reader<'f> {
    fields: &'f Fields,
    slice: Slice<'static>,
    cursor: Cursor,
    /// Whether a plain value in the slice's place has been looked for.
    looked: bool,
}

impl<'f> Reader<'f> {
    pub(crate) fn new(fields: &'f Fields, slice: Slice<'static>) -> Self {
        Self {
            fields,
            slice,
            cursor: Cursor::start(),
            looked: false,
        }
    }

    pub(super) fn find(&mut self, keys: &[&str]) -> Option<Cow<'f, [u8]>> {
        let found = keys
            .iter()
            .find_map(|key| self.cursor.find(self.fields, self.slice, key));
        if found.is_none() {
            self.warn_of_a_plain_value();
        }
        found
    }

    // serde_json's own message may quote a stored value, so only the kind of error is shown.
    pub(super) fn warn_undecodable(&self, key: &str, error: &serde_json::Error) {
        warn(self.slice, key, error.classify());
    }

    /// Where the slice should be, something else may stand that is no object, such as a list which an Express
    /// app calls `req.session.cart`: the first change takes its place.
    fn warn_of_a_plain_value(&mut self) {
        let Slice::Named(name) = self.slice else {
            return;
        };
        if std::mem::replace(&mut self.looked, true) {
            return;
        }
        let is_plain = self.fields.iter().any(|entry| {
            let stands_there = entry.slice.is_none() && entry.key == name.as_bytes();
            stands_there && !entry.raw.starts_with(b"{") && entry.raw != b"null"
        });
        if is_plain {
            warn(Slice::Top, name, Category::Data);
        }
    }
}

fn warn(slice: Slice<'static>, key: &str, kind: Category) {
    tracing::warn!(
        target: "sessile",
        ?slice,
        key,
        ?kind,
        "a stored field no longer decodes: it counts as absent"
    );
}
