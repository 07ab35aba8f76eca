//! The parts of a call. Each is a value that asks the store one question after another, and says how it ended.

pub(super) mod admission;
pub(super) mod opening;
pub(super) mod plan;
pub(super) mod recover;
pub(super) mod removal;
pub(super) mod revoke;
pub(super) mod storing;
