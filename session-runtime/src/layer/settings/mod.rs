//! The settings of a layer: what a user may say, checked once, and what all requests share.

mod check;
mod config;
mod config_error;
mod layer;
mod names;
mod timeouts;

pub(crate) use self::config::Config;
pub use self::config_error::ConfigError;
pub use self::layer::{SessionLayer, SessionLayerBuilder};
pub use self::names::NameTaken;
pub use self::timeouts::Timeouts;
