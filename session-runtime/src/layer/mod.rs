//! The life of a request around its handler: load, call, commit; knows no user type.

mod admission;
mod attempt;
mod builder;
mod commit;
mod config;
mod connection;
mod cookies;
mod endings;
mod error;
pub(crate) mod events;
mod future;
mod live;
mod names;
mod owned;
mod recover;
mod request;
mod service;
mod state;
mod sweep;
mod timeouts;
mod transport;
mod turns;
mod wanted;
mod write;

pub use self::builder::{ConfigError, SessionLayerBuilder};
pub(crate) use self::config::Config;
pub use self::config::{AtMaxSessions, Rolling};
pub use self::connection::{Hop, TrustedProxy};
pub use self::cookies::Head;
pub use self::error::SessionError;
pub use self::future::ResponseFuture;
pub use self::names::NameTaken;
pub(crate) use self::request::RequestSession;
pub use self::service::{SessionLayer, SessionService};
pub use self::timeouts::Timeouts;
pub use self::transport::Transport;
