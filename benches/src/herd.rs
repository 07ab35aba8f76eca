//! Many requests at once on one session, each with work between its read and its write: how many of
//! their increments are there at the end, and who waited for whom.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderValue;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::ask::{ask, page_views};
use crate::contenders::{self, WORK};
use crate::markdown::table;
use crate::spread::Spread;

pub(crate) const ROUNDS: usize = 7;
pub(crate) const REQUESTS: u64 = 200;

/// The section of the report.
#[must_use]
pub fn section() -> String {
    format!(
        "## {REQUESTS} at once on one session\n\n\
         One session counts 1; then {REQUESTS} requests at once each read it, work for {} ms, and write one \
         more. In process, two worker threads, {ROUNDS} rounds: what is counted at the end of {}, how many \
         were told that they had failed, how long all took and the slowest of them, in ms, and how many \
         times as long as one request alone.\n\n{}",
        WORK.as_millis(),
        REQUESTS + 1,
        in_memory()
    )
}

fn in_memory() -> String {
    let rows = contenders::libraries().into_iter().map(|contender| {
        let herds = (0..ROUNDS).map(|_| one(&runtime(), contender.app()));
        Herds(herds.collect()).row(contender.name)
    });
    table(HEAD, rows)
}

pub(crate) const HEAD: [&str; 6] = ["", "counted", "failed", "all", "slowest", "of one alone"];

/// One round over a fresh app.
pub(crate) fn one(runtime: &Runtime, app: impl Future<Output = Router>) -> Herd {
    runtime.block_on(async {
        let waiting = Waiting::at(app.await).await;
        let at_once = waiting.all_at_once().await;
        Herd {
            counted: page_views(&waiting.app, Some(&waiting.cookie)).await,
            alone: waiting.alone,
            at_once,
        }
    })
}

/// An app, and a session that all are about to ask for.
pub(crate) struct Waiting {
    app: Router,
    cookie: HeaderValue,
    alone: Duration,
}

impl Waiting {
    pub(crate) async fn at(app: Router) -> Self {
        let begun = ask(&app, "/write", None).await;
        assert!(begun.status.is_success(), "{begun:?}");
        // Once to warm up, once for its time, both on another session.
        let other = ask(&app, "/write", None).await.cookie;
        slow(&app, other.as_ref()).await;
        let (_, alone) = slow(&app, other.as_ref()).await;
        Self {
            app,
            cookie: begun.cookie.expect("a session has a cookie"),
            alone,
        }
    }

    pub(crate) async fn all_at_once(&self) -> AtOnce {
        let began = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..REQUESTS {
            let (app, cookie) = (self.app.clone(), self.cookie.clone());
            running.spawn(async move { slow(&app, Some(&cookie)).await });
        }
        let answers = running.join_all().await;
        let all = began.elapsed();
        let failed = answers.iter().filter(|(is_well, _)| !is_well).count();
        let slowest = answers.into_iter().map(|(_, took)| took).max();
        AtOnce {
            failed: failed as u64,
            all,
            slowest: slowest.expect("there are some"),
        }
    }
}

/// What became of the requests of one round.
pub(crate) struct Herd {
    /// What the session holds at the end.
    counted: u64,
    /// How long one takes by itself.
    alone: Duration,
    at_once: AtOnce,
}

pub(crate) struct AtOnce {
    /// Those that were not told that all is well.
    failed: u64,
    all: Duration,
    slowest: Duration,
}

/// Whether it went well, and how long it took.
async fn slow(app: &Router, cookie: Option<&HeaderValue>) -> (bool, Duration) {
    let began = Instant::now();
    let answer = ask(app, "/slow", cookie).await;
    (answer.status.is_success(), began.elapsed())
}

/// The rounds of one contender.
pub(crate) struct Herds(pub(crate) Vec<Herd>);

impl Herds {
    pub(crate) fn row(&self, name: &str) -> [String; HEAD.len()] {
        let spread = |figure: fn(&Herd) -> f64| Spread::of(self.0.iter().map(figure).collect());
        let alone = spread(|herd| milliseconds(herd.alone)).median;
        let all = spread(|herd| milliseconds(herd.at_once.all));
        [
            name.to_owned(),
            range(self.0.iter().map(|herd| herd.counted)),
            range(self.0.iter().map(|herd| herd.at_once.failed)),
            format!("{all:.1}"),
            format!("{:.1}", spread(|herd| milliseconds(herd.at_once.slowest))),
            format!("{:.2}", all.median / alone),
        ]
    }
}

fn range(counts: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (counts.clone().min(), counts.max());
    let (least, most) = least.zip(most).expect("there are rounds");
    if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(crate) fn runtime() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}
