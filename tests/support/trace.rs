//! Writes down all that a process of the suite logs, of every target at TRACE, for `tests/silent.rs`
//! to search.
//!
//! `SESSILE_TRACE_DIR` says where, and without it nothing is written. Whatever builds an application
//! or speaks to one calls [`install`]. Doctests are left out.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Once, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// Writes down what is logged from now on, in all threads of this process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if file().is_some() {
            let installed = tracing::subscriber::set_global_default(Trace);
            installed.expect("no test listens for all threads");
        }
    });
}

/// Writes a line of a subscriber that stands in the place of this one.
pub fn write(line: &str) {
    if let Some(mut file) = file() {
        // In one call, so that lines of several threads do not mix.
        let line = format!("{line}\n");
        file.write_all(line.as_bytes()).expect("the disk has room");
    }
}

/// An event as one line: its level, its target, its message, its fields.
pub fn line(event: &Event<'_>) -> String {
    let mut line = Line::default();
    event.record(&mut line);
    line.of(event.metadata())
}

/// A file for each process, named as its test is.
fn file() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let folder = PathBuf::from(std::env::var_os("SESSILE_TRACE_DIR")?);
        let program = std::env::current_exe().expect("a process has a program");
        let name = program.file_stem().expect("a program has a name");
        let name = format!("{}.{}.log", name.display(), std::process::id());
        fs::create_dir_all(&folder).expect("the folder can be made");
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(folder.join(name));
        Some(file.expect("the file can be written"))
    };
    FILE.get_or_init(open).as_ref()
}

struct Trace;

impl Subscriber for Trace {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        write(&line(event));
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = Line::default();
        span.record(&mut line);
        write(&line.of(span.metadata()));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line::default();
        values.record(&mut line);
        write(&line.fields);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A message, and what stands beside it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn of(self, metadata: &Metadata<'_>) -> String {
        let Self { message, fields } = self;
        let (level, target) = (metadata.level(), metadata.target());
        format!("{level} {target}: {message}{fields}")
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    /// With all that it comes from, as a person's log shows it.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| error.source());
        let chain: Vec<_> = chain.map(ToString::to_string).collect();
        self.record_debug(field, &format_args!("{}", chain.join(": ")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        written.expect("a string takes what is written");
    }
}
