//! A cookie of an earlier deploy, in a scope or under a name of before: it is read, and taken back.

use http::HeaderValue;

use crate::cookie::{ByConnection, Connection, CookieError, CookieOptions};
use crate::dialect::{Dialect, SessionCookie};
use crate::token::Tokens;

/// A cookie of an earlier deploy.
#[derive(Debug)]
pub(in crate::layer) struct Former {
    name: String,
    tokens: Tokens,
    cookies: ByConnection<SessionCookie>,
    /// An option is `Auto`, so that the removals differ.
    pub(in crate::layer) follows_connection: bool,
}

impl Former {
    pub(in crate::layer) fn new(
        dialect: &Dialect,
        name: String,
        options: &CookieOptions<'_>,
        tokens: Tokens,
    ) -> Result<Self, CookieError> {
        let cookie = |connection| dialect.cookie(&name, &options.on(connection));
        let cookies = ByConnection::try_new(cookie)?;
        Ok(Self {
            name,
            tokens,
            cookies,
            follows_connection: options.follow_connection(),
        })
    }

    pub(in crate::layer) fn name(&self) -> &str {
        &self.name
    }

    /// The tokens of its name: one is made for one name.
    pub(in crate::layer) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Takes the cookie from the browser.
    pub(in crate::layer) fn removal(&self, connection: Connection) -> HeaderValue {
        self.cookies.on(connection).writer.removal()
    }
}
