//! Sessions in memory, over loopback.

use super::load::{ROUNDS, SECONDS, of_kind};
use super::part::Part;
use super::running::start;
use super::wrk::{CONNECTIONS, Wrk};
use crate::kind::Kind;
use crate::servers::Missing;

/// The section of the report.
#[must_use]
pub fn section() -> String {
    let head = "## Over loopback\n\n";
    let wrk = match Wrk::new() {
        Ok(wrk) => wrk,
        Err(Missing(line)) => return format!("{head}{line}"),
    };
    let (contenders, missing) = start(Part::Loopback, "");
    let mut section = format!(
        "{head}Each is a process with one worker thread, and wrk asks it over {CONNECTIONS} connections, as \
         {} visitors in turn: the median of {ROUNDS} rounds of {} s in which everybody has a turn, and the \
         least and the most; and the processor time that a request takes in the contender's process. \
         actix-session has no store in memory: it keeps the session in the cookie, \
         encrypted, and asks no store at all. Express is on Node, in whose `MemoryStore`.\n\n{missing}",
        super::running::VISITORS,
        SECONDS.as_secs(),
    );
    for kind in [Kind::Untouched, Kind::Read, Kind::ReadModifyWrite] {
        section += &of_kind(&wrk, &contenders, 0, kind);
    }
    section
}
