//! The lock of a request's state, under which nothing is logged.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use super::events::News;
use super::state::State;

/// The state of a request. What it has to say is said once it is unlocked: who listens may have a handle
/// of the session, and ask it.
pub(super) struct Locked<'s> {
    // Dropped in this order.
    state: MutexGuard<'s, State>,
    said: Said,
}

impl<'s> Locked<'s> {
    #[inline]
    pub(super) fn new(state: MutexGuard<'s, State>) -> Self {
        Self {
            state,
            said: Said::default(),
        }
    }
}

#[derive(Default)]
struct Said(Vec<News>);

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.said.0 = mem::take(&mut self.state.news);
    }
}

impl Drop for Said {
    #[inline]
    fn drop(&mut self) {
        self.0.drain(..).for_each(News::say);
    }
}
