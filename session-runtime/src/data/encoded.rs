//! Holds the fields of one struct as JSON, for comparing; knows neither keys nor types.

use std::fmt;

/// The stored fields of one struct as JSON, in the order of `SessionData::FIELDS`.
#[derive(Default)]
pub struct Encoded {
    /// Before each value its length, so that one allocation holds them all.
    bytes: Vec<u8>,
    failed: Option<Unstorable>,
}

type Length = [u8; size_of::<usize>()];

/// Beside the values: their lengths, and what a small change adds.
const SLACK: usize = 128;

impl Encoded {
    /// For about so many bytes: a buffer that grows is copied time and again, and one of 64 KiB is mapped
    /// anew by the allocator each time.
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(room + SLACK),
            failed: None,
        }
    }

    /// How many bytes the values take, lengths included.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Takes one field's JSON from `write`.
    pub(super) fn push(
        &mut self,
        key: &'static str,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) {
        let at = self.bytes.len();
        self.bytes.extend(Length::default());
        if write(&mut self.bytes).is_err() {
            self.failed = Some(Unstorable { key });
        }
        let length = self.bytes.len() - at - size_of::<Length>();
        self.bytes[at..][..size_of::<Length>()].copy_from_slice(&length.to_ne_bytes());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (length, values) = rest.split_first_chunk()?;
            let value;
            (value, rest) = values.split_at(usize::from_ne_bytes(*length));
            Some(value)
        })
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
            .field("fields", &self.iter().count())
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
