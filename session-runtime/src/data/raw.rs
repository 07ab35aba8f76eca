//! Holds the JSON of one field: a place in a record, or bytes of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use crate::record::Fields;

/// The JSON of one field; it never prints. What stands in a record is not copied.
#[derive(Clone)]
pub(crate) enum Raw {
    Stored { fields: Fields, at: Range<usize> },
    Own(Box<[u8]>),
}

impl Raw {
    pub(super) fn json(&self) -> &[u8] {
        match self {
            Self::Stored { fields, at } => fields.raw_at(at.clone()),
            Self::Own(json) => json,
        }
    }
}

impl From<&[u8]> for Raw {
    fn from(json: &[u8]) -> Self {
        Self::Own(json.into())
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Raw {}

impl Hash for Raw {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.json().hash(state);
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
