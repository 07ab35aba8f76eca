//! The store of a layer: its deadline, its writers' lines, and those who wait for the end of a session.

mod drain;
mod registry;
mod store;
mod turns;

pub(super) use self::drain::{Busy, Drain};
pub(super) use self::registry::{Changed, News};
pub(super) use self::store::{Asked, Backend, Waiting};
