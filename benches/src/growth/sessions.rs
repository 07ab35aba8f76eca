//! What a request takes when more sessions are kept: a random one of them is read, or written.

use axum::Router;
use axum::http::HeaderValue;
use sessile::{MemoryStore, Secret, SessionLayer};
use tokio::runtime::Builder;

use super::kinds::{Along, PATHS};
use super::page::grouped;
use super::plot::{Axis, Scale};
use super::rounds::{Turn, ask_each, rounds};
use crate::client::Client;
use crate::contenders;
use crate::spread::Spread;

const COUNTS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const NAMES: [&str; 3] = ["sessile", "tower-sessions, signed", "floor: a naive layer"];
const ROUNDS: usize = 15;
/// Requests of one turn, after a quarter as many that warm up.
const REQUESTS: usize = 20_000;
/// Sessions whose value is looked at after each turn.
const CHECKED: usize = 200;

/// An app that keeps many sessions, and all their cookies.
pub struct Crowd {
    client: Client,
    cookies: Vec<HeaderValue>,
    /// What each session counts.
    counts: Vec<u64>,
    path: &'static str,
}

impl Crowd {
    pub async fn of(app: &Router, sessions: usize) -> Self {
        let mut client = Client::of(app);
        let mut cookies = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            cookies.push(client.begin("/write").await);
        }
        Self {
            client,
            cookies,
            counts: vec![1; sessions],
            path: "/read",
        }
    }

    /// Cookies of random sessions, in memory one after another: what is measured is how the store is
    /// walked, not how the cookies are.
    fn draw(&mut self, count: usize) -> (Vec<usize>, Vec<HeaderValue>) {
        let drawn = (0..count).map(|_| fastrand::usize(..self.cookies.len()));
        let drawn: Vec<_> = drawn.collect();
        let copies = drawn.iter().map(|session| {
            let copy = HeaderValue::from_bytes(self.cookies[*session].as_bytes());
            let copy = copy.expect("a cookie is a header");
            // The first clone of a header's bytes makes them shared, which is no part of a request.
            drop(copy.clone());
            copy
        });
        let copies = copies.collect();
        if self.path == "/write" {
            for session in &drawn {
                self.counts[*session] += 1;
            }
        }
        (drawn, copies)
    }
}

impl Turn for Crowd {
    async fn turn(&mut self) -> f64 {
        let (_, warm_up) = self.draw(REQUESTS / 4);
        ask_each(&mut self.client, self.path, &warm_up).await;
        let (drawn, cookies) = self.draw(REQUESTS);
        let time = ask_each(&mut self.client, self.path, &cookies).await;
        for (session, cookie) in drawn.iter().zip(&cookies).take(CHECKED) {
            let count = self.client.number("/read", cookie).await;
            assert_eq!(count, self.counts[*session], "a session keeps its count");
        }
        time
    }
}

/// sessile as its README says, but for a store without its cap of a million.
pub fn sessile() -> Router {
    let store = MemoryStore::new()
        .max_sessions(2_000_000)
        .max_bytes(2 << 30);
    contenders::sessile::routes().layer(SessionLayer::new(store, Secret::generate()))
}

/// Whether somebody of this name is compared.
#[must_use]
pub fn is_built(name: &str) -> bool {
    contenders::all().iter().any(|one| one.name == name)
}

/// An empty app of somebody who can keep a million sessions.
pub async fn app_of(name: &str) -> Router {
    if name == "sessile" {
        return sessile();
    }
    let all = contenders::all();
    let found = all.iter().find(|one| one.name == name);
    found.expect("somebody has this name").app().await
}

/// Medians by contender and count, for reads and for writes.
async fn measure(names: &[&str]) -> [Vec<Spread>; 2] {
    let mut crowds = Vec::new();
    for name in names {
        for count in COUNTS {
            crowds.push(Crowd::of(&app_of(name).await, count).await);
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for (path, times) in PATHS.into_iter().zip(&mut times) {
        for crowd in &mut crowds {
            crowd.path = path;
        }
        *times = rounds(ROUNDS, &mut crowds).await;
    }
    times
}

#[must_use]
pub fn section() -> String {
    let runtime = Builder::new_current_thread().enable_all().build();
    let names: Vec<_> = NAMES.into_iter().filter(|name| is_built(name)).collect();
    let times = runtime.expect("a runtime").block_on(measure(&names));
    let seen = "A read among a million sessions costs little more than among a thousand: it is a lookup \
        in one of many small maps, and what grows is how far the processor has to go for it. A \
        write grows more, as it makes a new record and frees one that lies anywhere in memory.";
    let how = "A random session of those in the store, in process, the whole request; medians of \
        rounds in which every store has a turn. Without the allocator's lists of small freed chunks \
        (`glibc.malloc.mxfast=0`): a turn fills them by the thousands, and the next would pay for it.";
    Along {
        name: "sessions",
        title: "Sessions in the memory store",
        how,
        seen,
        x: Axis {
            name: "sessions in the store",
            scale: Scale::Log,
            label: grouped,
        },
        y: Scale::Linear,
        values: &COUNTS,
        names: &names,
    }
    .publish(&times)
}
