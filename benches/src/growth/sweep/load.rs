//! Visitors who come back at once, and how long each request of theirs took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use tokio::task::yield_now;

use super::waits::Waits;
use super::watched::Watched;
use crate::client::Client;

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
