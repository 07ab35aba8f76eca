//! The formats of express-session 1.19 and connect-redis 9, so that an Express app is on the same sessions.

mod cookie;
mod integers;
mod object;
#[cfg(any(test, feature = "redis"))]
mod read;
mod reserved;
mod secret;

pub(crate) use self::cookie::CookieObject;
pub(super) use self::cookie::attributes;
pub(super) use self::integers::unsafe_integer;
pub(super) use self::object::seal;
#[cfg(feature = "redis")]
pub(crate) use self::read::read;
pub(super) use self::reserved::is_reserved;
pub use self::secret::ExpressSecret;
pub(super) use self::secret::tokens;

pub(super) const COOKIE_NAME: &str = "connect.sid";

/// The owner of the names that no struct can have.
pub(super) const NAME: &str = "Express";

/// Why no session is found by its owner.
pub(crate) const NO_OWNERS: &str =
    "sessions beside an Express app are not found by their owner: its records name none";
