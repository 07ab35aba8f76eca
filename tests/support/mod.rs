//! What the tests share: a visitor with a cookie jar, a store that counts and fails, a clock to set.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test takes what it needs"
)]

pub mod clock;
pub mod probe;
pub mod visitor;

pub use self::clock::TestClock;
pub use self::probe::Probe;
pub use self::visitor::{Answer, Visitor};
