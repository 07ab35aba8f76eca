//! The life of a request around its handler: load, call, commit; knows no user type.

mod attempt;
mod builder;
mod commit;
mod config;
mod connection;
mod error;
mod future;
mod live;
mod names;
mod recover;
mod request;
mod service;
mod state;
mod sweep;
mod turns;
mod wanted;
mod write;

pub use self::builder::{ConfigError, SessionLayerBuilder};
pub use self::config::Rolling;
pub use self::connection::{Hop, TrustedProxy};
pub use self::error::SessionError;
pub use self::future::ResponseFuture;
pub use self::names::NameTaken;
pub(crate) use self::request::RequestSession;
pub use self::service::{SessionLayer, SessionService};
