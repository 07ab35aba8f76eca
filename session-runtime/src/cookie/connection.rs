//! How a request came, and what there is once for each way of coming; knows no cookie.

/// How a request came to us, as far as we can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Connection {
    Https,
    /// Over plain http, to a host of this machine: browsers trust it.
    Loopback,
    #[default]
    Plain,
}

/// One value for https and one for plain http.
#[derive(Debug)]
pub(crate) struct ByConnection<T> {
    https: T,
    plain: T,
}

impl<T> ByConnection<T> {
    pub(crate) fn try_new<E>(make: impl Fn(Connection) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            https: make(Connection::Https)?,
            plain: make(Connection::Plain)?,
        })
    }

    pub(crate) fn on(&self, connection: Connection) -> &T {
        match connection {
            Connection::Https => &self.https,
            Connection::Loopback | Connection::Plain => &self.plain,
        }
    }
}
