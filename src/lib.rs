#![doc = include_str!("../README.md")]

pub use session_derive::Session;
pub use session_runtime::*;

#[doc(hidden)]
pub use session_runtime::__private;
