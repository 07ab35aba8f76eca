//! Sessions in memory, over loopback.

use super::actix;
use super::load::{ROUNDS, SECONDS, of_kind};
use super::running::start;
use super::serve::{Keeps, Part, Served, Server};
use super::wrk::{CONNECTIONS, Wrk};
use crate::contenders;
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

pub(super) fn served() -> Vec<Served> {
    let bare = contenders::all().into_iter().take(1);
    let in_memory = bare.chain(contenders::libraries());
    let mut served: Vec<_> = in_memory.map(Served::in_memory).collect();
    served.extend([
        Served {
            name: "bare actix-web",
            keeps: Keeps::Nothing,
            server: Server::Actix(actix::bare),
        },
        Served {
            name: "actix-session, in a cookie",
            keeps: Keeps::InCookie,
            server: Server::Actix(actix::in_cookie),
        },
        Served {
            name: "express-session",
            keeps: Keeps::InStore,
            server: Server::Express,
        },
    ]);
    served
}
