//! In what the two differ, and why. The guide tells the reader the same.

use super::seen::What;
use super::{Act, Moment};

pub(crate) struct Difference {
    /// What is otherwise here, and why it is.
    pub(crate) reason: &'static str,
    pub(crate) is_there: fn(&Moment, What) -> bool,
}

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        reason: "`destroy` sends a removal cookie: a browser that goes on showing a dead id has Redis asked for it \
                 each time",
        is_there: |moment, what| {
            what == What::Presence && moment.act == Act::Destroyed && !moment.is_first()
        },
    },
    Difference {
        reason: "what a handler reads after `destroy` is what was there: a copy does not vanish under it",
        is_there: |moment, what| {
            what == What::Answer && moment.act == Act::Destroyed && !moment.is_first()
        },
    },
    Difference {
        reason: "`clear` for a visitor who has no session stores none: there is nothing to protect by a new id",
        is_there: |moment, what| {
            let is_bare = moment.act == Act::Regenerated && moment.is_first();
            what != What::Answer && is_bare && !moment.options.save_uninitialized
        },
    },
    Difference {
        reason: "so the session of such a visitor begins with what is put into it",
        is_there: |moment, what| {
            let is_second = moment.before == [Act::Regenerated];
            is_second
                && !moment.options.save_uninitialized
                && matches!(what, What::Presence | What::Id | What::Count)
        },
    },
];
