//! How many requests a second one thread answers, and how many two do, each with a session of its own
//! in one app.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use axum::Router;
use tokio::runtime::{Builder, Runtime};

use crate::ask::page_views;
use crate::contenders::{self, Contender};
use crate::drive::Visitor;
use crate::kind::Kind;
use crate::markdown::table;
use crate::spread::Spread;

const ROUNDS: usize = 15;
const REQUESTS: u32 = 10_000;
const WARM_UP: u32 = REQUESTS / 4;

/// The section of the report.
#[must_use]
pub fn section() -> String {
    let mut section = format!(
        "## Two threads\n\n\
         In process: each thread has a runtime of its own, a clone of one app and a session of its own. \
         Requests a second of one thread and of two, and how many times as many two answer: the median of \
         {ROUNDS} rounds in which everybody has a turn, and the least and the most.\n"
    );
    for kind in [Kind::Read, Kind::ReadModifyWrite] {
        let table = of_kind(&contenders::all(), kind);
        section += &["\n### ", kind.name(), "\n\n", &table].concat();
    }
    section
}

fn of_kind(contenders: &[Contender], kind: Kind) -> String {
    let mut rounds = vec![Rounds::default(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            rounds.add(contender, kind);
        }
    }
    let rows = contenders.iter().zip(rounds).map(|(contender, rounds)| {
        let Rounds { one, two, times } = rounds;
        [
            contender.name.to_owned(),
            format!("{:.0}", Spread::of(one).median),
            format!("{:.0}", Spread::of(two).median),
            format!("{:.2}", Spread::of(times)),
        ]
    });
    table(["", "one thread", "two threads", "times as many"], rows)
}

#[derive(Default, Clone)]
struct Rounds {
    one: Vec<f64>,
    two: Vec<f64>,
    times: Vec<f64>,
}

impl Rounds {
    /// One after the other, so that the machine is in one mood for both.
    fn add(&mut self, contender: &Contender, kind: Kind) {
        let runtime = runtime();
        let app = runtime.block_on(contender.app());
        let [one, two] = [1, 2].map(|threads| rate(contender, &app, kind, threads));
        self.one.push(one);
        self.two.push(two);
        self.times.push(two / one);
    }
}

/// Requests a second of all threads, by the one that took longest.
fn rate(contender: &Contender, app: &Router, kind: Kind, threads: u32) -> f64 {
    let all_ready = Barrier::new(threads as usize);
    let seconds = thread::scope(|scope| {
        let asking = || runtime().block_on(seconds(contender, app, kind, &all_ready));
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(asking)).collect();
        let ended = running.into_iter().map(|it| it.join().expect("it answers"));
        ended.fold(0.0, f64::max)
    });
    f64::from(threads * REQUESTS) / seconds
}

async fn seconds(contender: &Contender, app: &Router, kind: Kind, all_ready: &Barrier) -> f64 {
    let mut visitor = Visitor::at(app).await;
    visitor.repeat(kind, WARM_UP as usize).await;
    all_ready.wait();
    let began = Instant::now();
    visitor.repeat(kind, REQUESTS as usize).await;
    let seconds = began.elapsed().as_secs_f64();
    if kind == Kind::ReadModifyWrite && contender.has_sessions {
        let counted = page_views(app, Some(visitor.cookie())).await;
        assert_eq!(
            counted,
            u64::from(1 + WARM_UP + REQUESTS),
            "{}",
            contender.name
        );
    }
    seconds
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}
