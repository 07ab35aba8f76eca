//! The cookie's attributes, as a session object keeps them and as Express sends them.

use crate::cookie::{Attributes, CookieOptions, Priority, SameSite};

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

/// The attributes in the order of Express's cookies: `Expires` stands between them.
pub(crate) fn attributes(options: &CookieOptions<'_>) -> Attributes {
    let &CookieOptions {
        path,
        domain,
        http_only,
        secure: _,
        same_site,
        lifetime: _,
        partitioned,
        priority,
    } = options;
    let domain = domain.map_or(String::new(), |domain| format!("; Domain={domain}"));
    let flag = |is: bool, name: &'static str| if is { name } else { "" };
    let after = [
        flag(http_only, "; HttpOnly"),
        flag(options.is_secure(), "; Secure"),
        flag(partitioned, "; Partitioned"),
        priority.map_or("", Priority::attribute),
        match same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax | SameSite::Auto => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
            SameSite::Unset => "",
        },
    ];
    Attributes {
        before_lifetime: format!("{domain}; Path={path}"),
        after_lifetime: after.concat(),
    }
}
