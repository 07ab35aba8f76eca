//! Keeps what is logged, for a test to read.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber, span};

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

    /// What the library said since the last call.
    pub fn events(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
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
        self.0.lock().unwrap().push(line(event));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// An event as one line.
pub fn line(event: &Event<'_>) -> String {
    let metadata = event.metadata();
    let mut line = Line::default();
    event.record(&mut line);
    let Line { message, fields } = line;
    format!(
        "{} {}: {message}{fields}",
        metadata.level(),
        metadata.target()
    )
}

/// The message, and what stands beside it.
#[derive(Default)]
pub struct Line {
    pub message: String,
    pub fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    /// With all that it comes from, as a person's log shows it.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            write!(chain, ": {error}").unwrap();
            source = error.source();
        }
        self.record_debug(field, &format_args!("{chain}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").unwrap();
        } else {
            write!(self.fields, " {field}={value:?}").unwrap();
        }
    }
}
