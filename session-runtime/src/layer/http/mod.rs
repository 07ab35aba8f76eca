//! The edge to HTTP: what a request's head says of its session, and what the response's head has to say.

mod arrival;
mod connection;
mod cookies;
mod former;
mod respond;
mod transport;

pub(super) use self::arrival::Arrival;
pub(super) use self::connection::connection;
pub use self::connection::{Hop, TrustedProxy};
pub use self::cookies::Head;
pub(super) use self::cookies::{CookieSettings, CookieSource, Cookies, OwnCookie};
pub(super) use self::former::Former;
pub(super) use self::respond::respond;
pub use self::transport::Transport;
