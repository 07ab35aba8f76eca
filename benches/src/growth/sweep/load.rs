//! Visitors who come back at once, and how long each request of theirs took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use tokio::task::yield_now;

use super::watched::Watched;
use crate::client::Client;
use crate::growth::kinds::exact;

/// A step of the short waits, in nanoseconds; longer ones are kept one by one.
const STEP: usize = 100;
const STEPS: usize = 1000;
const SLOW: Duration = Duration::from_millis(5);
/// A load that sees no sweep fails.
const PATIENCE: Duration = Duration::from_mins(10);
/// One request in so many is looked into.
const CHECKED: usize = 1024;

pub(super) struct Load {
    client: Client,
    cookies: Vec<HeaderValue>,
    counts: Vec<u64>,
}

impl Load {
    pub(super) fn new(client: Client, cookies: Vec<HeaderValue>) -> Self {
        let counts = vec![1; cookies.len()];
        Self {
            client,
            cookies,
            counts,
        }
    }

    /// Asks until so many are swept: the waits before the first is, and after.
    pub(super) async fn until_swept(mut self, store: Arc<Watched>, all: usize) -> [Waits; 2] {
        let mut waits = [Waits::default(), Waits::default()];
        let began = Instant::now();
        for request in 0.. {
            let swept = store.swept();
            if swept == all {
                break;
            }
            let wait = self.ask(request).await;
            waits[usize::from(swept > 0)].note(wait);
            if request % CHECKED == 0 {
                self.check(request).await;
                assert!(began.elapsed() < PATIENCE, "the sweep comes after a minute");
            }
        }
        for session in 0..self.cookies.len() {
            self.check(session).await;
        }
        waits
    }

    async fn ask(&mut self, request: usize) -> Duration {
        let session = fastrand::usize(..self.cookies.len());
        let is_write = request.is_multiple_of(2);
        let path = if is_write { "/write" } else { "/read" };
        let ready = Instant::now();
        // A server's task is here when its socket has a request: others may have the thread first.
        yield_now().await;
        self.client.ask(path, Some(&self.cookies[session])).await;
        let wait = ready.elapsed();
        self.counts[session] += u64::from(is_write);
        wait
    }

    async fn check(&mut self, session: usize) {
        let session = session % self.cookies.len();
        let count = self.client.number("/read", &self.cookies[session]).await;
        assert_eq!(count, self.counts[session], "who lives is kept");
    }
}

/// How long requests took.
pub(super) struct Waits {
    short: Vec<usize>,
    /// In nanoseconds.
    long: Vec<usize>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            short: vec![0; STEPS],
            long: Vec::new(),
        }
    }
}

impl Waits {
    pub(super) fn note(&mut self, wait: Duration) {
        let wait = usize::try_from(wait.as_nanos()).expect("no request takes years");
        match self.short.get_mut(wait / STEP) {
            Some(count) => *count += 1,
            None => self.long.push(wait),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let Self { short, long } = other;
        for (count, more) in self.short.iter_mut().zip(short) {
            *count += more;
        }
        self.long.extend(long);
    }

    pub(super) fn sort(&mut self) {
        self.long.sort_unstable();
    }

    pub(super) fn count(&self) -> f64 {
        exact(self.short.iter().sum::<usize>() + self.long.len())
    }

    /// How many took more than 5 ms.
    pub(super) fn slow(&self) -> f64 {
        let slow = self
            .long
            .iter()
            .filter(|wait| **wait > SLOW.as_nanos() as usize);
        exact(slow.count())
    }

    /// In microseconds.
    pub(super) fn longest(&self) -> f64 {
        exact(self.long.last().copied().unwrap_or(STEP * STEPS)) / 1000.0
    }

    /// What one request in so many takes at least, in microseconds.
    pub(super) fn quantile(&self, one_in: f64) -> f64 {
        let mut above = self.count() / one_in;
        if let Some(rank) = self.long.iter().rev().position(|_| {
            above -= 1.0;
            above <= 0.0
        }) {
            return exact(self.long[self.long.len() - 1 - rank]) / 1000.0;
        }
        for (step, count) in self.short.iter().enumerate().rev() {
            above -= exact(*count);
            if above <= 0.0 {
                return exact(step * STEP + STEP / 2) / 1000.0;
            }
        }
        0.0
    }
}
