//! What a session layer takes to look through a header that is full of other cookies.

use std::fmt::Write as _;

use axum::http::HeaderValue;
use tokio::runtime::Builder;

use super::kinds::exact;
use super::page::{Section, Table, grouped};
use super::plot::{Axis, Curve, Panel, Scale};
use super::rounds::{Turn, ask_often, rounds};
use super::{heap, sessions};
use crate::client::Client;
use crate::spread::Spread;

/// 5,000 pairs are 64 KiB.
pub const PAIRS: [usize; 5] = [1, 10, 100, 1000, 5000];
const WHOSE: [&str; 2] = ["none its own", "its own last"];
const BARE: &str = "bare axum";
const ROUNDS: usize = 21;
const REQUESTS: usize = 200;

/// A visitor of an app who brings so many cookies of others.
pub struct Look {
    client: Client,
    cookies: HeaderValue,
    /// What the app answers.
    count: u64,
}

impl Look {
    /// With the session's own cookie as the last one, or with none.
    pub async fn of(name: &str, pairs: usize, is_last: bool) -> Self {
        let mut client = Client::of(&sessions::app_of(name).await);
        let mut cookies = String::new();
        for pair in 0..pairs {
            write!(cookies, "c{:03}=abcdef; ", pair % 1000).expect("a string grows");
        }
        // Bare axum has no session: there a cookie of the same length is last.
        let (own, count) = match (is_last, name) {
            (false, BARE) => (None, 1),
            (true, BARE) => (Some(sessile_cookie().await), 1),
            (false, _) => (None, 0),
            (true, _) => (Some(client.begin("/write").await), 1),
        };
        match &own {
            Some(own) => cookies.push_str(own.to_str().expect("a cookie is ASCII")),
            None => cookies.truncate(cookies.len() - 2),
        }
        Self {
            client,
            cookies: HeaderValue::try_from(cookies).expect("cookies are a header"),
            count,
        }
    }

    /// One read.
    pub async fn once(&mut self) {
        let count = self.client.number("/read", &self.cookies).await;
        assert_eq!(count, self.count, "the session is found where there is one");
    }
}

async fn sessile_cookie() -> HeaderValue {
    Client::of(&sessions::sessile()).begin("/write").await
}

impl Turn for Look {
    async fn turn(&mut self) -> f64 {
        self.once().await;
        ask_often(&mut self.client, "/read", &self.cookies, REQUESTS).await
    }
}

/// By app, without and with a cookie of its own, and by pairs.
async fn measure(names: &[&str]) -> Vec<Spread> {
    let mut looks = Vec::new();
    for name in names {
        for is_last in [false, true] {
            for pairs in PAIRS {
                looks.push(Look::of(name, pairs, is_last).await);
            }
        }
    }
    rounds(ROUNDS, &mut looks).await
}

#[must_use]
pub fn section() -> String {
    let names: Vec<_> = [BARE, "sessile", "tower-sessions, signed"]
        .into_iter()
        .filter(|name| sessions::is_built(name))
        .collect();
    let runtime = Builder::new_current_thread().enable_all().build();
    let times = runtime.expect("a runtime").block_on(measure(&names));
    let times: Vec<_> = times.chunks(PAIRS.len()).collect();
    let bare_counts = heap::ask(&["cookies", BARE]);
    let mut head = vec!["cookies of others".to_owned()];
    head.extend(PAIRS.iter().map(|pairs| grouped(exact(*pairs))));
    let mut table = Table::new(&head);
    let mut curves = [Vec::new(), Vec::new()];
    for (name, times_of) in names.iter().zip(times.chunks(2)).skip(1) {
        let counts = heap::ask(&["cookies", name]);
        for (own, whose) in WHOSE.into_iter().enumerate() {
            let over = times_of[own].iter().zip(times[own]);
            // In microseconds, and above nought: a logarithm is drawn.
            let over: Vec<_> = over
                .map(|(time, bare)| ((time.median - bare.median) / 1000.0).max(0.01))
                .collect();
            let mut cells = vec![format!("{name}, {whose}: µs")];
            cells.extend(over.iter().map(|time| format!("{time:.1}")));
            table.row(&cells);
            let mut cells = vec![format!("{name}, {whose}: allocations")];
            let more = counts.iter().zip(&bare_counts);
            cells.extend(more.map(|(count, bare)| (count[own] - bare[own]).to_string()));
            table.row(&cells);
            let points = PAIRS.iter().map(|pairs| exact(*pairs));
            curves[own].push(Curve {
                name: (*name).to_owned(),
                points: points.zip(over).collect(),
            });
        }
    }
    let panels = WHOSE
        .into_iter()
        .zip(curves)
        .map(|(title, curves)| panel(title, curves));
    let seen = "Looking for its cookie, the layer walks the header's bytes once and allocates nothing \
        for it, however many cookies of others there are.";
    let how = "A read in process, less the same request to bare axum: what the session costs, with \
        so many cookies of others in the header. 5,000 of them are 64 KiB.";
    Section {
        name: "cookies",
        title: "A header full of cookies",
        how,
        seen,
        table,
        panels: panels.collect(),
    }
    .publish()
}

fn panel(title: &'static str, curves: Vec<Curve>) -> Panel {
    Panel {
        title,
        x: Axis {
            name: "cookies of others",
            scale: Scale::Log,
            label: grouped,
        },
        y: Axis {
            name: "µs over bare axum",
            scale: Scale::Log,
            label: |value| format!("{value}"),
        },
        curves,
    }
}
