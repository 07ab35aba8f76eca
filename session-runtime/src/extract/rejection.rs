//! Why a handler did not get its session, and the response that says so.

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use crate::layer::{ConfigError, NameTaken, SessionError, events};
use crate::store::StoreError;

/// Why an extractor gave no session. The handler was not called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The route has no [`SessionLayer`](crate::SessionLayer): 500.
    #[error(
        "this route has no session layer: add `.layer(SessionLayer::new(store, secret))` to its router, after the route"
    )]
    MissingLayer,
    /// A required field is not there: 401.
    #[error("this needs something that the session does not hold")]
    Absent,
    /// Two structs store under one name: 500.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// A browser would reject the cookie that
    /// [`cookie_for`](crate::SessionLayerBuilder::cookie_for) made of the request: 500. The log says why.
    #[error(transparent)]
    Cookie(#[from] ConfigError),
    /// The store could not say whether there is a session: 503, never an empty session.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SessionRejection {
    /// Takes the error of a session that could not be opened: the store has failed, or it is of the settings.
    pub(super) fn of_opening(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => Self::Store(error),
            SessionError::Cookie(error) => Self::Cookie(error),
            SessionError::NameTaken(error) => Self::NameTaken(error),
            error => Self::Store(StoreError::unavailable(error)),
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingLayer | Self::NameTaken(_) | Self::Cookie(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Absent => StatusCode::UNAUTHORIZED,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            events::not_given(&self);
        }
        let text = match self {
            // It may name other tenants' domains.
            Self::Cookie(_) => "a session cannot be had here".to_owned(),
            _ => self.to_string(),
        };
        (self.status(), text).into_response()
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            events::not_stored(None, &self);
        }
        (self.status(), self.public_message()).into_response()
    }
}
