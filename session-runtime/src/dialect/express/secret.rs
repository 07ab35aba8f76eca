//! The secret of an Express app: any text that is not empty.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::{KeyRing, SecretError};
use crate::token::{TokenFormat, Tokens};

/// The secret of an Express app, as its option `secret` has it: a text of any length, whose bytes in UTF-8
/// are the key. It is zeroized on drop and never printed.
///
/// ```
/// use session_runtime::{ExpressSecret, SecretError};
///
/// let secret = ExpressSecret::new("keyboard cat")?;
/// assert_eq!(format!("{secret:?}"), "ExpressSecret(..)");
/// # Ok::<(), SecretError>(())
/// ```
///
/// express-session takes a text that anybody could guess, and cookie-parser signs whatever an app hands to it
/// by the same secret. So it is another type than [`Secret`](crate::Secret), and
/// [`SessionLayer::beside_express`](crate::SessionLayer::beside_express) alone takes it.
#[derive(Clone)]
pub struct ExpressSecret(Zeroizing<Box<[u8]>>);

impl ExpressSecret {
    /// Takes the text that the Express app has.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`] if there is none.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(Zeroizing::new(text.as_bytes().into())))
    }
}

impl fmt::Debug for ExpressSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExpressSecret(..)")
    }
}

/// Express binds its tags to no name: the same token is genuine under each.
pub(crate) fn tokens(_name: &str, first: &ExpressSecret, previous: &[ExpressSecret]) -> Tokens {
    let previous = previous.iter().map(|secret| secret.0.as_ref());
    Tokens::new(KeyRing::unbound(&first.0, previous), TokenFormat::Escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_be_short_but_not_empty_and_never_prints() {
        let secret = ExpressSecret::new("é").unwrap();
        assert_eq!(format!("{secret:?}"), "ExpressSecret(..)");
        assert_eq!(ExpressSecret::new("").unwrap_err(), SecretError::Empty);
    }
}
