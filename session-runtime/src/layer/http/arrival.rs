//! The findings of a request's head about its session.

use crate::cookie::Connection;
use crate::token::{Candidates, Way};

/// The tokens in the head of a request, and how they came.
pub(in crate::layer) struct Arrival {
    pub(in crate::layer) candidates: Candidates,
    /// The visitor has a cookie of an earlier deploy.
    pub(in crate::layer) has_former_cookie: bool,
    pub(in crate::layer) way: Way,
    pub(in crate::layer) connection: Connection,
}
