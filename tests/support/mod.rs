//! What the tests share: a visitor with a cookie jar, a store that counts and fails, a clock to set,
//! an ear for the log, an example as a program.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    reason = "each test takes what it needs"
)]

pub mod at_rest;
pub mod clock;
pub mod example;
pub mod load;
pub mod log;
pub mod probe;
pub mod stage;
pub mod trace;
pub mod visitor;

pub use self::at_rest::Wanted;
pub use self::clock::TestClock;
pub use self::example::Example;
pub use self::log::Log;
pub use self::probe::Probe;
pub use self::stage::{Builder, Stage};
pub use self::visitor::{Answer, Visitor};

/// How often: what every run does, or what `SESSILE_FULL=1` does before a release.
pub fn size(every_run: usize, full: usize) -> usize {
    if std::env::var_os("SESSILE_FULL").is_some_and(|value| value == "1") {
        full
    } else {
        every_run
    }
}
