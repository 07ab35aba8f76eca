//! Holds the fields of one struct as JSON, for comparing; knows neither keys nor types.

use std::fmt;

/// The stored fields of one struct as JSON, in the order of `SessionData::FIELDS`.
#[derive(Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    failed: Option<Unstorable>,
}

impl Encoded {
    /// Takes one field's JSON from `write`.
    pub(super) fn push(
        &mut self,
        key: &'static str,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) {
        if write(&mut self.bytes).is_err() {
            self.failed = Some(Unstorable { key });
        }
        self.ends.push(self.bytes.len());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }

    /// The values, unless one could not be written.
    pub(super) fn values(&self) -> Result<impl Iterator<Item = &[u8]>, Unstorable> {
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
#[non_exhaustive]
pub struct Unstorable {
    /// The stored key of the field.
    pub key: &'static str,
}
