//! What a request does with its session.

use axum::body::Body;
use axum::http::{HeaderValue, Request, header::COOKIE};

/// What is measured, a row of the table each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The visitor has a session, and the handler does not ask for it.
    Untouched,
    /// The visitor has none, and the handler reads it.
    Anonymous,
    Read,
    ReadModifyWrite,
    /// The visitor has none, and the handler begins one.
    FirstVisit,
    /// The handler stores another user, and the session changes its id.
    Login,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Untouched,
        Self::Anonymous,
        Self::Read,
        Self::ReadModifyWrite,
        Self::FirstVisit,
        Self::Login,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Anonymous => "anonymous",
            Self::Read => "read",
            Self::ReadModifyWrite => "read-modify-write",
            Self::FirstVisit => "first visit",
            Self::Login => "login",
        }
    }

    /// Where every contender has the handler for it.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Untouched => "/untouched",
            Self::Anonymous | Self::Read => "/read",
            Self::ReadModifyWrite | Self::FirstVisit => "/write",
            Self::Login => "/login",
        }
    }

    #[must_use]
    pub fn has_cookie(self) -> bool {
        !matches!(self, Self::Anonymous | Self::FirstVisit)
    }

    /// The request of a visitor who has this cookie.
    #[must_use]
    pub fn request(self, cookie: &HeaderValue) -> Request<Body> {
        let request = Request::get(self.path());
        let request = if self.has_cookie() {
            request.header(COOKIE, cookie)
        } else {
            request
        };
        request.body(Body::empty()).expect("a request")
    }
}
