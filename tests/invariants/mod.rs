//! What must always hold, over the whole stack and on any store; a store's test file calls each
//! function in one line.
#![allow(dead_code, reason = "each store's test file takes what its store has")]

mod accounts;
pub(crate) mod cancel;
pub(crate) mod cut_short;
pub(crate) mod doubt;
pub(crate) mod expiry;
pub(crate) mod floods;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod late;
pub(crate) mod limits;
pub(crate) mod lost_updates;
mod pair;
pub(crate) mod panics;
pub(crate) mod privileges;
pub(crate) mod revocation;
pub(crate) mod schedule;
pub(crate) mod storm;
pub(crate) mod strict_ids;
pub(crate) mod world;
pub(crate) mod wrapped;

pub(crate) use crate::support::size;

/// The first of many seeds: another one in each run, or the one that a failure has printed.
fn first_seed() -> u64 {
    std::env::var("SESSILE_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| {
            seed.parse()
                .expect("SESSILE_SEED is the number that a failure printed")
        },
    )
}
