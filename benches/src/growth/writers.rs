//! How many increments of one session are counted in a second, when more visitors write at once.

use std::iter;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::routing::get;
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::kinds::exact;
use super::page::{Section, Table, grouped};
use super::plot::{Axis, Curve, Panel, Scale};
use crate::client::Client;

const WRITERS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const WORKS: [Work; 2] = [
    Work {
        path: "/at_once",
        name: "no work",
        requests: 64_000,
        scale: Scale::Linear,
    },
    Work {
        path: "/later",
        name: "1 ms of work",
        requests: 1280,
        scale: Scale::Log,
    },
];
const ROUNDS: usize = 5;

/// What a handler does between reading and answering.
struct Work {
    path: &'static str,
    name: &'static str,
    /// Of a round, all writers together.
    requests: usize,
    scale: Scale,
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

fn app() -> Router {
    let begin = async |mut visits: Session<Visits>| visits.page_views = 1;
    let at_once = async |mut visits: Session<Visits>| visits.page_views += 1;
    let later = async |mut visits: Session<Visits>| {
        sleep(Duration::from_millis(1)).await;
        visits.page_views += 1;
    };
    Router::new()
        .route("/begin", get(begin))
        .route("/at_once", get(at_once))
        .route("/later", get(later))
        .route(
            "/read",
            get(async |visits: Visits| visits.page_views.to_string()),
        )
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()))
}

/// How a round ended.
#[derive(Clone, Copy)]
struct Outcome {
    /// Increments a second.
    rate: f64,
    /// Answered 503: the attempts to merge were used up.
    refused: u64,
}

async fn write(mut client: Client, cookie: HeaderValue, path: &str, requests: usize) -> u64 {
    let mut refused = 0;
    for _ in 0..requests {
        match client.try_ask(path, Some(&cookie)).await.status() {
            StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE => refused += 1,
            other => panic!("{other}"),
        }
    }
    refused
}

async fn round(path: &'static str, writers: usize, requests: usize) -> Outcome {
    let mut client = Client::of(&app());
    let cookie = client.begin("/begin").await;
    let began = Instant::now();
    let each =
        iter::repeat_with(|| write(client.clone(), cookie.clone(), path, requests / writers));
    let all: JoinSet<u64> = each.take(writers).collect();
    let refused: u64 = all.join_all().await.into_iter().sum();
    let took = began.elapsed();
    let counted = client.number("/read", &cookie).await - 1;
    assert_eq!(
        counted + refused,
        requests as u64,
        "what is answered is counted"
    );
    let counted = u32::try_from(counted).expect("a round is short");
    Outcome {
        rate: f64::from(counted) / took.as_secs_f64(),
        refused,
    }
}

/// By work and number of writers: the median rate, and all that were refused.
async fn measure() -> Vec<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for work in WORKS {
        let mut rounds = vec![Vec::new(); WRITERS.len()];
        for _ in 0..ROUNDS {
            for (writers, rounds) in WRITERS.into_iter().zip(&mut rounds) {
                rounds.push(round(work.path, writers, work.requests).await);
            }
        }
        outcomes.push(rounds.into_iter().map(middle).collect());
    }
    outcomes
}

fn middle(mut rounds: Vec<Outcome>) -> Outcome {
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    Outcome {
        rate: rounds[rounds.len() / 2].rate,
        refused: rounds.iter().map(|round| round.refused).sum(),
    }
}

#[must_use]
pub fn section() -> String {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let outcomes = runtime
        .block_on(runtime.spawn(measure()))
        .expect("all is counted");
    let mut head = vec!["increments a second, by writers".to_owned()];
    head.extend(WRITERS.iter().map(usize::to_string));
    head.push("refused".to_owned());
    let mut table = Table::new(&head);
    let mut panels = Vec::new();
    for (work, outcomes) in WORKS.iter().zip(&outcomes) {
        let mut cells = vec![work.name.to_owned()];
        cells.extend(outcomes.iter().map(|outcome| grouped(outcome.rate)));
        let refused: u64 = outcomes.iter().map(|outcome| outcome.refused).sum();
        cells.push(refused.to_string());
        table.row(&cells);
        panels.push(panel(work, outcomes));
    }
    let seen = "However many write, each increment counts. Those who do nothing between reading and \
        writing share what two threads can do. Those who wait in between do so side by side: \
        nobody holds a lock over a handler, so twice as many writers count twice as much.";
    let how = "Everybody adds one to the same counter, with `merge::Sum`, on two threads; the counter \
        is checked: it counts what was answered 200, each once. A timer's millisecond \
        is one to two. Without work a request gives its thread to no other, so that two at most overlap.";
    Section {
        name: "writers",
        title: "Writers of one session at once",
        how,
        seen,
        table,
        panels,
    }
    .publish()
}

fn panel(work: &Work, outcomes: &[Outcome]) -> Panel {
    let points = WRITERS.iter().zip(outcomes);
    Panel {
        title: work.name,
        x: Axis {
            name: "writers at once",
            scale: Scale::Log,
            label: grouped,
        },
        y: Axis {
            name: "thousand increments a second",
            scale: work.scale,
            label: |value| format!("{}", value / 1000.0),
        },
        curves: vec![Curve {
            name: "sessile".to_owned(),
            points: points
                .map(|(writers, outcome)| (exact(*writers), outcome.rate))
                .collect(),
        }],
    }
}
