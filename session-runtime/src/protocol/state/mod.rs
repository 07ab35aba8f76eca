//! The state of a request: its knowledge of the session, and the changes that it wants.

mod link;
mod pending;
mod session;
mod views;

pub(super) use self::link::{End, Link, Snapshot, Write};
pub(super) use self::pending::Pending;
pub(crate) use self::pending::{Idle, Wanted};
pub(super) use self::session::Moved;
pub(crate) use self::session::{Phase, Savepoint, Session, Standing};
pub(crate) use self::views::{Lent, Place, Reader, Ticket};
