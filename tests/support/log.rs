//! Keeps what is logged, for a test to read.

use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber, span};

use super::trace;

/// Keeps every event as one line: its level, its target, its message, its fields.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Listens to this thread, until the guard is dropped.
    pub fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// All that anybody said since the last call.
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// What the library said since the last call.
    pub fn events(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.contains(" sessile: "));
        lines
    }

    /// What it said as a warning or worse, since the last call.
    pub fn warnings(&self) -> Vec<String> {
        let mut lines = self.events();
        lines.retain(|line| line.starts_with("WARN ") || line.starts_with("ERROR "));
        lines
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let line = trace::line(event);
        // It stands in the place of the one that listens to the whole suite.
        trace::write(&line);
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
