//! What must always hold, over the whole stack and on any store; a store's test file calls each
//! function in one line.

pub(crate) mod cancel;
pub(crate) mod cut_short;
pub(crate) mod doubt;
pub(crate) mod expiry;
pub(crate) mod floods;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod lost_updates;
mod pair;
pub(crate) mod panics;
mod schedule;
pub(crate) mod storm;
pub(crate) mod strict_ids;
pub(crate) mod world;
pub(crate) mod wrapped;

/// How often: what every run does, or what `SESSILE_FULL=1` does before a release.
pub(crate) fn size(ci: usize, full: usize) -> usize {
    if std::env::var_os("SESSILE_FULL").is_some_and(|value| value == "1") {
        full
    } else {
        ci
    }
}
