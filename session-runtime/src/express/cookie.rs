//! The cookie's attributes as a session object keeps them.

use crate::cookie::{Connection, CookieOptions, Priority, SameSite};

/// The `cookie` of a new session, as each connection needs it.
#[derive(Debug)]
pub(crate) struct CookieObjects {
    https: CookieObject,
    plain: CookieObject,
}

impl CookieObjects {
    pub(crate) fn new(options: &CookieOptions<'_>) -> Self {
        Self {
            https: CookieObject::new(&options.on(Connection::Https)),
            plain: CookieObject::new(&options.on(Connection::Plain)),
        }
    }

    pub(crate) fn on(&self, connection: Connection) -> &CookieObject {
        match connection {
            Connection::Https => &self.https,
            Connection::Loopback | Connection::Plain => &self.plain,
        }
    }
}

/// The members of `cookie` that a new session begins with, in the order in which Express writes them.
#[derive(Debug)]
pub(crate) struct CookieObject(Vec<(&'static str, String)>);

impl CookieObject {
    /// Of the options for one connection, so that nothing is `Auto`.
    pub(crate) fn new(options: &CookieOptions<'_>) -> Self {
        let text = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        let priority = options.priority.map(|priority| match priority {
            Priority::Low => "low",
            Priority::Medium => "medium",
            Priority::High => "high",
        });
        let same_site = match options.same_site {
            SameSite::Strict => Some("strict"),
            SameSite::Lax | SameSite::Auto => Some("lax"),
            SameSite::None => Some("none"),
            SameSite::Unset => None,
        };
        let yes = |is: bool| is.then(|| "true".to_owned());
        let members = [
            ("partitioned", yes(options.partitioned)),
            ("priority", priority.map(text)),
            ("expires", Some("null".to_owned())),
            ("secure", yes(options.is_secure())),
            // Express takes a missing one for `true`.
            ("httpOnly", Some(options.http_only.to_string())),
            ("domain", options.domain.map(text)),
            ("path", Some(text(options.path))),
            ("sameSite", same_site.map(text)),
        ];
        let said = members.into_iter();
        Self(said.filter_map(|(key, raw)| Some((key, raw?))).collect())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, raw)| (*key, raw.as_str()))
    }
}
