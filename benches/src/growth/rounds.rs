//! Rounds in which everybody has a turn, so that what the machine does meanwhile hits all alike.

use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use axum::http::HeaderValue;

use crate::client::Client;
use crate::spread::Spread;

/// Who takes turns.
pub trait Turn {
    /// Nanoseconds a request.
    fn turn(&mut self) -> impl Future<Output = f64>;
}

/// So many rounds.
pub async fn rounds<T: Turn>(count: usize, all: &mut [T]) -> Vec<Spread> {
    let mut times = vec![Vec::new(); all.len()];
    for _ in 0..count {
        for (one, times) in all.iter_mut().zip(&mut times) {
            times.push(one.turn().await);
        }
    }
    times.into_iter().map(Spread::of).collect()
}

/// Asks for a path with each of these cookies once: nanoseconds a request.
pub async fn ask_each(client: &mut Client, path: &str, cookies: &[HeaderValue]) -> f64 {
    let began = Instant::now();
    for cookie in cookies {
        black_box(client.ask(path, Some(cookie)).await);
    }
    per_request(began, cookies.len())
}

/// Asks for a path with this cookie so often: nanoseconds a request.
pub async fn ask_often(
    client: &mut Client,
    path: &str,
    cookie: &HeaderValue,
    requests: usize,
) -> f64 {
    for _ in 0..requests / 4 {
        black_box(client.ask(path, Some(cookie)).await);
    }
    let began = Instant::now();
    for _ in 0..requests {
        black_box(client.ask(path, Some(cookie)).await);
    }
    per_request(began, requests)
}

#[expect(clippy::cast_precision_loss, reason = "a round is short")]
fn per_request(began: Instant, requests: usize) -> f64 {
    began.elapsed().as_nanos() as f64 / requests as f64
}

/// One visitor of an app, who has a filled record there.
pub struct Lone {
    client: Client,
    cookie: HeaderValue,
    requests: usize,
    pub path: &'static str,
    /// What the visitor's counter is.
    count: u64,
}

impl Lone {
    pub async fn of(app: &Router, requests: usize) -> Self {
        let mut client = Client::of(app);
        let cookie = client.begin("/fill").await;
        Self {
            client,
            cookie,
            requests,
            path: "/read",
            count: 1,
        }
    }

    pub async fn number(&mut self, path: &str) -> u64 {
        self.client.number(path, &self.cookie).await
    }
}

impl Turn for Lone {
    async fn turn(&mut self) -> f64 {
        let Self {
            client,
            cookie,
            requests,
            path,
            count,
        } = self;
        let time = ask_often(client, path, cookie, *requests).await;
        if *path == "/write" {
            *count += (*requests / 4 + *requests) as u64;
        }
        let found = client.number("/read", cookie).await;
        assert_eq!(found, *count, "each write counts, and nothing else does");
        time
    }
}
