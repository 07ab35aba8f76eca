//! Why a store could not do its work.

use crate::record::RecordError;

/// Why a store could not do its work. An absence is not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, or refused.
    #[error("the session store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store did not answer in time.
    #[error("the session store did not answer in time")]
    TimedOut,
    /// What is stored is no record that this version reads.
    #[error("the session store holds a record that cannot be read")]
    Unreadable(#[from] RecordError),
    /// Nothing was done: the store is at its cap, and refuses new sessions rather than forget others.
    #[error("the session store is full")]
    Full,
    /// Nothing was done: the store's form of records has no place for what was asked.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A key that had to be free was not: the generator of ids repeats itself.
    #[error("the key of a new session is taken: the id generator repeats itself")]
    Taken,
}

impl StoreError {
    /// The store cannot be reached, or refused, for this reason.
    pub fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }

    /// Whether it says that nothing was done. Of the others nobody knows.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Full | Self::Unsupported(_))
    }
}
