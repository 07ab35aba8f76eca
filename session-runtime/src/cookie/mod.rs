//! What a session's cookie looks like to a browser, both ways; knows no record and no store.
//!
//! [`options`](CookieOptions) are what a user may ask for, `check` is what a browser would make of
//! it, `write` renders `Set-Cookie`, and `read` finds the values of a name in `Cookie`.

mod check;
mod connection;
mod error;
mod options;
mod read;
mod write;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod user_agent;

pub(crate) use connection::{ByConnection, Connection};
pub use error::CookieError;
pub(crate) use options::CookieLifetime;
pub use options::{CookieOptions, Priority, SameSite, Secure};
pub(crate) use read::values;
pub(crate) use write::{Attributes, CookieWriter};
