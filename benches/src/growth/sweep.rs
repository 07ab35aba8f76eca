//! How long requests take while a million expired sessions are freed.

mod load;
mod waits;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::http::HeaderValue;
use sessile::{MemoryStore, Secret, SessionLayer};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use self::load::Load;
use self::waits::Waits;
use self::watched::Watched;
use super::page::{Section, Table, grouped};
use super::plot::{Axis, Curve, Panel, Scale};
use crate::client::Client;
use crate::contenders;

const EXPIRED: usize = 1_000_000;
const LIVING: usize = 1000;
const TASKS: usize = 2;

const NAMES: [&str; 3] = [
    "a request without a sweep",
    "a request during the sweep",
    "the sweep at a stretch",
];

const HOUR: u64 = 3600;

fn app(store: &Arc<Watched>, ahead: &Arc<AtomicU64>) -> Router {
    let ahead = Arc::clone(ahead);
    let clock = move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed));
    let sessions = SessionLayer::builder(Arc::clone(store), Secret::generate())
        .clock(clock)
        .build();
    contenders::sessile::routes().layer(sessions.expect("the defaults, but for the clock"))
}

/// The waits before the sweep and during it, then the sweep's own stretches; and how long it took.
async fn measure() -> ([Waits; 3], Duration) {
    let store = MemoryStore::new()
        .max_sessions(2_000_000)
        .max_bytes(2 << 30);
    let store = Arc::new(Watched::new(store));
    let ahead = Arc::default();
    let app = app(&store, &ahead);
    let mut client = Client::of(&app);
    let mut living: Vec<HeaderValue> = Vec::with_capacity(LIVING);
    for session in 0..EXPIRED + LIVING {
        let cookie = client.begin("/write").await;
        if session < LIVING {
            living.push(cookie);
        }
    }
    // The idle timeout is a day: who comes in its last hour stays, all others are gone after it.
    ahead.store(23 * HOUR, Ordering::Relaxed);
    for cookie in &living {
        assert_eq!(client.number("/read", cookie).await, 1);
    }
    ahead.store(25 * HOUR, Ordering::Relaxed);
    let loads = living.chunks(LIVING / TASKS).map(|cookies| {
        let load = Load::new(client.clone(), cookies.to_vec());
        load.until_swept(Arc::clone(&store), EXPIRED)
    });
    let loads: JoinSet<_> = loads.collect();
    let [mut calm, mut swept] = [Waits::default(), Waits::default()];
    for [before, during] in loads.join_all().await {
        calm.add(before);
        swept.add(during);
    }
    assert_eq!(store.len(), LIVING, "who lives is kept");
    ([calm, swept, store.take_stretches()], store.took())
}

#[must_use]
pub fn section() -> String {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let measured = runtime
        .block_on(runtime.spawn(measure()))
        .expect("all is swept");
    let (mut waits, took) = measured;
    let mut table = Table::new(&[
        "µs",
        "count",
        "p50",
        "p99",
        "p99.9",
        "longest",
        "over 5 ms, of a million",
    ]);
    let mut curves = Vec::new();
    for (name, waits) in NAMES.into_iter().zip(&mut waits) {
        waits.sort();
        let quantile = |one_in: f64| format!("{:.1}", waits.quantile(one_in));
        table.row(&[
            name.to_owned(),
            grouped(waits.count()),
            quantile(2.0),
            quantile(100.0),
            quantile(1000.0),
            grouped(waits.longest()),
            format!("{:.2}", waits.slow() / waits.count() * 1e6),
        ]);
        let rare = [2.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
        curves.push(Curve {
            name: name.to_owned(),
            points: rare.map(|one_in| (one_in, waits.quantile(one_in))).to_vec(),
        });
    }
    let seen = "Expired sessions are freed in small batches, between which other tasks have their turn, \
        so that the requests of living sessions do not wait for it.";
    let how = format!(
        "A million sessions have expired; two tasks on two threads ask for a thousand living ones, \
        a read and a write in turn, as fast as they are answered, first before the sweep and then \
        while it frees all of them, in {:.0} s. A request waits from when its task is ready, so that \
        a thread which the sweep keeps counts. Both of these rows have the \
        machine's own noise. A stretch is one poll of the sweep, in the processor's time: it is what a \
        request can wait for it at most, be it for the thread or for a lock.",
        took.as_secs_f64()
    );
    Section {
        name: "sweep",
        title: "A sweep of 1,000,000 expired sessions",
        how: &how,
        seen,
        table,
        panels: vec![panel(curves)],
    }
    .publish()
}

fn panel(curves: Vec<Curve>) -> Panel {
    Panel {
        title: "how long the slowest take",
        x: Axis {
            name: "one in",
            scale: Scale::Log,
            label: grouped,
        },
        y: Axis {
            name: "takes at least, µs",
            scale: Scale::Log,
            label: |value| format!("{value}"),
        },
        curves,
    }
}
