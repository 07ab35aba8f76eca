//! A session as it is known to be stored, and under which id; asks nobody.

use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};
use crate::record::Record;
use crate::store::Stored;

/// A session and where it is stored.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) id: SessionId,
    pub(super) key: StoreKey,
    pub(super) record: Record,
    pub(super) expires: Timestamp,
}

impl Live {
    pub(super) fn new(id: SessionId, key: StoreKey, stored: Stored) -> Self {
        let Stored { record, expires } = stored;
        Self {
            id,
            key,
            record,
            expires,
        }
    }

    /// The same session, stored as this record.
    pub(super) fn anew(&self, record: Record, expires: Timestamp) -> Self {
        Self {
            record,
            expires,
            ..*self
        }
    }

    pub(super) fn stored(&self) -> Stored {
        Stored {
            record: self.record.clone(),
            expires: self.expires,
        }
    }
}
