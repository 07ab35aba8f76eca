//! Sessions in a server of their own: what it is asked, and how many requests a second that allows.

pub mod herd;

use std::fmt::Display;

use super::load::{ROUNDS, SECONDS, of_kind};
use super::part::Part;
use super::running::{Running, VISITORS, start};
use super::wrk::{CONNECTIONS, Wrk};
use crate::kind::Kind;
use crate::markdown::table;
use crate::servers::Missing;
use crate::servers::http::get;
use crate::servers::postgres::Postgres;
use crate::servers::redis::{Commands, Redis};

const KINDS: [Kind; 4] = [
    Kind::Untouched,
    Kind::Read,
    Kind::ReadModifyWrite,
    Kind::FirstVisit,
];

/// So many requests are asked one after another while the server counts.
const COUNTED: u32 = 50;

/// The place of tower-sessions among the contenders: all are compared with it.
const BASE: usize = 1;

/// The section of the report on Redis.
#[must_use]
pub fn redis_section() -> String {
    section(
        Part::Redis,
        "## Redis",
        "tower-sessions is 0.14, the newest that its stores build with. ruts' store needs Redis 7.4, and \
         Debian has an older one.",
        || {
            let redis = Redis::start()?;
            Ok(Counting {
                url: redis.url(),
                version: format!("Redis {}", redis.version()),
                count: Box::new(move |asking| {
                    let ((), commands) = redis.commands_of(asking);
                    a_request(&commands)
                }),
            })
        },
    )
}

/// The section of the report on PostgreSQL.
#[must_use]
pub fn postgres_section() -> String {
    section(
        Part::Postgres,
        "## PostgreSQL",
        "It does not wait for its disk (`fsync=off`), which would be what is measured. tower-sessions is \
         0.14, the newest that its stores build with.",
        || {
            let postgres = Postgres::start()?;
            Ok(Counting {
                url: postgres.url(),
                version: format!("PostgreSQL {}", postgres.version()),
                count: Box::new(move |asking| {
                    let ((), statements) = postgres.statements_of(asking);
                    of_each(statements).to_string()
                }),
            })
        },
    )
}

/// A server that counts what it is asked, as text for a request each.
struct Counting {
    url: String,
    version: String,
    count: Count,
}

/// Counts the commands that a server receives during a call.
type Count = Box<dyn Fn(&mut dyn FnMut()) -> String>;

fn section(
    part: Part,
    head: &str,
    about: &str,
    server: impl FnOnce() -> Result<Counting, Missing>,
) -> String {
    let (wrk, server) = match (Wrk::new(), server()) {
        (Ok(wrk), Ok(server)) => (wrk, server),
        (Err(Missing(line)), _) | (_, Err(Missing(line))) => return format!("{head}\n\n{line}"),
    };
    let (contenders, missing) = start(part, &server.url);
    let mut section = format!(
        "{head}\n\n{}. {about} Pools are as large as each library's docs have them. axum_session \
         keeps a copy in each process's memory too, from which it reads. Each contender is a process with one \
         worker thread.\n\n{missing}\
         What the server is asked for one request, by its own count: a script counts as one command.\n\n{}\n\
         wrk asks over {CONNECTIONS} connections, as {VISITORS} visitors in turn: the median of {ROUNDS} \
         rounds of {} s in which everybody has a turn, and the least and the most; and the processor time \
         that a request takes in the contender's process.\n",
        server.version,
        counts(&contenders, &server),
        SECONDS.as_secs(),
    );
    for kind in KINDS {
        section += &of_kind(&wrk, &contenders, BASE, kind);
    }
    section
}

fn counts(contenders: &[Running], server: &Counting) -> String {
    let rows = contenders.iter().map(|contender| {
        let [untouched, read, write, first] = KINDS.map(|kind| {
            // A server learns scripts and statements once, which is not the cost of a request.
            ask(contender, kind);
            (server.count)(&mut || (0..COUNTED).for_each(|_| ask(contender, kind)))
        });
        [contender.name.to_owned(), untouched, read, write, first]
    });
    let [untouched, read, write, first] = KINDS.map(Kind::name);
    table(["", untouched, read, write, first], rows)
}

fn ask(contender: &Running, kind: Kind) {
    let cookies = contender.visitors(kind).first().map(String::as_str);
    let answer = get(contender.address, kind.path(), cookies);
    assert_eq!(answer.status, 200, "{}: {answer:?}", contender.name);
}

fn a_request(commands: &Commands) -> String {
    let all = of_each(commands.values().sum());
    let names = commands
        .iter()
        .map(|(name, count)| format!("{name} {}", of_each(*count)));
    match commands.len() {
        0 => all.to_string(),
        _ => format!("{all} ({})", names.collect::<Vec<_>>().join(", ")),
    }
}

/// Without decimals, if each request costs the same.
fn of_each(count: u64) -> impl Display {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let of_each = count as f64 / f64::from(COUNTED);
    (of_each * 100.0).round() / 100.0
}
