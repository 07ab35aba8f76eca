//! Names the formats that cookies and records have; knows none of them.

/// Which formats a layer speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// The formats of this library: the id is signed for one cookie name, and hashed at rest.
    #[default]
    Native,
    /// Those of express-session 1.19 and connect-redis 9, so that an Express app beside it is on the same
    /// live sessions.
    ///
    /// Ids lie in Redis in clear in this mode, as Express keeps them, and what Express writes it writes
    /// blindly, over what was merged here. The guide
    /// [`from_express_session`](crate::from_express_session) says what is the same and what is not.
    Express,
}
