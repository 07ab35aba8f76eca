//! Contenders that run, and the visitors who have been there.

use std::env::current_exe;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use super::part::Part;
use super::served::{Keeps, Server};
use crate::kind::Kind;
use crate::servers::http::{get, page_views};
use crate::servers::{Missing, Program, node};

/// More than there are connections, so that hardly ever two requests at once are on one session.
pub(super) const VISITORS: usize = 256;

/// A contender's process.
pub(super) struct Running {
    pub(super) name: &'static str,
    pub(super) keeps: Keeps,
    program: Program,
    pub(super) address: SocketAddr,
    cookies: Vec<String>,
}

/// Starts all contenders of a part of the report over their store; and the lines that say who is missing.
pub(super) fn start(part: Part, store: &str) -> (Vec<Running>, String) {
    let mut missing = Vec::new();
    let started = part.served().into_iter().filter_map(|served| {
        let program = match served.server {
            Server::Express => node::express(Some(store).filter(|store| !store.is_empty())),
            Server::Axum(_) | Server::Actix(_) => Ok(ourselves(part, served.name, store)),
        };
        let program = program.map_err(|Missing(line)| {
            missing.push(format!("{}: {line}\n", served.name));
        });
        Some(Running::new(served.name, served.keeps, program.ok()?))
    });
    let started = started.collect();
    (started, missing.concat())
}

fn ourselves(part: Part, name: &str, store: &str) -> Program {
    let program = current_exe().expect("the path of this program");
    Program::start("TERM", &program, |command| {
        command
            .args(["serve", part.word(), name, store])
            .stdout(Stdio::piped())
    })
}

impl Running {
    fn new(name: &'static str, keeps: Keeps, mut program: Program) -> Self {
        let address = program.address();
        let cookies = (0..VISITORS).map(|_| first_visit(name, keeps, address));
        Self {
            name,
            keeps,
            cookies: cookies.collect(),
            program,
            address,
        }
    }

    /// The cookies of the visitors.
    pub(super) fn visitors(&self, kind: Kind) -> &[String] {
        if kind.has_cookie() {
            &self.cookies
        } else {
            &[]
        }
    }

    /// The time that a processor has worked for it so far.
    pub(super) fn worked(&self) -> Duration {
        self.program.worked()
    }

    /// The sum of all visitors' counters, if a server keeps them.
    pub(super) fn counted(&self) -> Option<u64> {
        let counts = self.cookies.iter().map(|it| page_views(self.address, it));
        (self.keeps == Keeps::InStore).then(|| counts.sum())
    }
}

fn first_visit(name: &str, keeps: Keeps, address: SocketAddr) -> String {
    let answer = get(address, Kind::FirstVisit.path(), None);
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    let is_kept = keeps != Keeps::Nothing;
    assert_eq!(answer.cookies.is_some(), is_kept, "{name}: {answer:?}");
    // Without a session one asks with a cookie all the same.
    answer.cookies.unwrap_or_else(|| "none=none".to_owned())
}
