//! The formats of this library: the id is signed for one cookie name, and hashed at rest.

use std::time::Duration;

use crate::cookie::CookieOptions;
use crate::secret::{KeyRing, Secret};
use crate::token::{TokenFormat, Tokens};

pub(super) const COOKIE_NAME: &str = "__Host-sid";

// A layer with the defaults cannot be refused.
const _: CookieOptions<'_> = CookieOptions::new().checked(COOKIE_NAME);

pub(super) const ABSOLUTE_TIMEOUT: Duration = Duration::from_hours(24 * 30);

pub(super) fn tokens(name: &str, first: &Secret, previous: &[Secret]) -> Tokens {
    Tokens::new(KeyRing::new(name, first, previous), TokenFormat::Plain)
}
