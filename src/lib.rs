#![doc = include_str!("../README.md")]

pub use session_derive::Session;
pub use session_runtime::*;

#[doc(hidden)]
pub use session_runtime::__private;

// By name, beside the glob: rustc then says which feature is missing.
#[cfg(feature = "redis")]
pub use session_runtime::{ExpressStore, RedisStore};
#[cfg(feature = "postgres")]
pub use session_runtime::{PostgresConfigError, PostgresStore};
#[cfg(feature = "sqlite")]
pub use session_runtime::{SqliteConfigError, SqliteStore};
