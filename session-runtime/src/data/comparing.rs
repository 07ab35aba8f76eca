//! Compares JSON with what a field held while it is written, and keeps it only if it differs.

use std::io;

use super::encodings::{Encodings, Open};
use crate::record::equal;

/// Takes the JSON of one field, and allocates nothing while it is what is expected.
pub(super) struct Comparing<'w> {
    expected: &'w [u8],
    /// The part of `expected` that is still to come.
    rest: &'w [u8],
    index: usize,
    into: &'w mut Encodings,
    /// The kept value, from the first byte on that differs.
    open: Option<Open>,
}

impl<'w> Comparing<'w> {
    /// JSON that differs from `expected` becomes the value of the field `index` in `into`.
    #[inline]
    pub(super) fn new(expected: &'w [u8], index: usize, into: &'w mut Encodings) -> Self {
        // Any JSON differs from none.
        let open = expected.is_empty().then(|| into.open(index, 0));
        Self {
            expected,
            rest: expected,
            index,
            into,
            open,
        }
    }

    /// Skips a text if it is what is expected. `serde_json` looks at each byte for one to escape,
    /// which takes ten times as long as this comparison.
    pub(super) fn skip_text(&mut self, text: &str) -> bool {
        let same = self.open.is_none() && is_json_of(self.rest, text.as_bytes());
        if same {
            self.rest = &[];
        }
        same
    }

    /// Ends the JSON. A mere start of what is expected differs as well.
    #[inline]
    pub(super) fn finish(&mut self) {
        if self.open.is_none() && !self.rest.is_empty() {
            self.differ(0);
        }
        if let Some(open) = self.open {
            self.into.close(open);
        }
    }

    /// Keeps from now on what is written, beginning with the part that was expected.
    #[cold]
    fn differ(&mut self, more: usize) {
        let matched = &self.expected[..self.expected.len() - self.rest.len()];
        let room = self.expected.len().max(matched.len() + more);
        self.open = Some(self.into.open(self.index, room));
        self.into.extend(matched);
    }
}

impl io::Write for Comparing<'_> {
    #[inline]
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        self.write_all(json)?;
        Ok(json.len())
    }

    // `serde_json` calls only this, mostly with a few bytes.
    #[inline]
    fn write_all(&mut self, json: &[u8]) -> io::Result<()> {
        if self.open.is_none() {
            if let Some((start, rest)) = self.rest.split_at_checked(json.len())
                && equal(start, json)
            {
                self.rest = rest;
                return Ok(());
            }
            self.differ(json.len());
        }
        self.into.extend(json);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns true if `json` is the JSON string of `text`. It may return false for a text with rare
/// escapes, which is then written and compared as JSON.
///
/// At most one text matches a given `json`, so two texts that match it are equal.
fn is_json_of(json: &[u8], mut text: &[u8]) -> bool {
    let Some(mut json) = quoted(json) else {
        return false;
    };
    while let Some(at) = memchr::memchr(b'\\', json) {
        let (run, [_, letter, after @ ..]) = json.split_at(at) else {
            return false;
        };
        let Some((&escaped, rest)) = text.strip_prefix(run).and_then(<[u8]>::split_first) else {
            return false;
        };
        if short_escape(escaped) != Some(*letter) {
            return false;
        }
        (json, text) = (after, rest);
    }
    json == text
}

/// The inside of a JSON string.
fn quoted(json: &[u8]) -> Option<&[u8]> {
    json.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// The letter that stands for a byte after the backslash of its escape.
fn short_escape(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' => Some(byte),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        0x08 => Some(b'b'),
        0x0c => Some(b'f'),
        _ => None,
    }
}
