//! The driver of a session and its edges: HTTP, the store, the settings. The only place that waits.

mod backend;
mod driver;
mod ended;
mod error;
pub(crate) mod events;
mod future;
mod http;
mod loan;
mod request;
mod service;
mod settings;
mod shared;
mod sweep;
mod work;

pub(crate) use self::ended::ended;
pub use self::error::SessionError;
pub use self::future::ResponseFuture;
pub use self::http::{Head, Hop, Transport, TrustedProxy};
pub(crate) use self::loan::Loan;
pub(crate) use self::request::RequestSession;
pub use self::service::SessionService;
pub(crate) use self::settings::Config;
pub use self::settings::{ConfigError, NameTaken, SessionLayer, SessionLayerBuilder, Timeouts};
pub(crate) use self::shared::Read;
