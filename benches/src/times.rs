//! How long a request takes, by rounds in which everybody has a turn.

use std::time::Instant;

use tokio::runtime::Builder;

use crate::contenders::{self, Contender};
use crate::drive::Visitor;
use crate::kind::Kind;
use crate::markdown::{row, table};
use crate::spread::Spread;

const ROUNDS: usize = 21;
const REQUESTS: usize = 5000;

/// A name, and each kind of request.
const COLUMNS: usize = 1 + Kind::ALL.len();

/// Every kind of request, for everybody.
#[must_use]
pub fn section() -> String {
    let contenders = contenders::all();
    let times = Kind::ALL.map(|kind| measure(&contenders, kind, ROUNDS, REQUESTS));
    let rows = |cell: &dyn Fn(&[Spread], usize) -> String| {
        let rows = contenders.iter().enumerate().map(|(index, contender)| {
            let cells = times.iter().map(|times| cell(times, index));
            row::<_, COLUMNS>([contender.name.to_owned()].into_iter().chain(cells))
        });
        table(row([""].into_iter().chain(Kind::ALL.map(Kind::name))), rows)
    };
    let medians = rows(&|times, index| {
        let time = times[index].median;
        format!("{time:.0} ({:.2})", time / times[0].median)
    });
    let spread = rows(&|times, index| {
        let time = times[index];
        format!("{:.0} to {:.0}", time.tenth, time.ninth_tenth)
    });
    let mut names = contenders.iter().map(|contender| contender.name);
    let reference = names.position(|name| name.starts_with(REFERENCE));
    let costs = rows(&|times, index| {
        let cost = |index: usize| times[index].median - times[0].median;
        reference.map_or_else(String::new, |it| format!("{:.2}", cost(index) / cost(it)))
    });
    format!(
        "## A whole request, in process\n\n\
         Nanoseconds, and the ratio to bare axum: medians of {ROUNDS} rounds of {REQUESTS} requests each, in \
         which everybody has a turn, on one thread.\n\n{medians}\n\
         Between a tenth of the rounds and nine tenths:\n\n{spread}\n\
         What the sessions alone cost, over bare axum, as a part of what they cost by {REFERENCE}:\n\n{costs}"
    )
}

/// Whom the most applications have.
const REFERENCE: &str = "tower-sessions";

/// Measures each contender in turn, round by round, so that what the machine does meanwhile hits all
/// alike: nanoseconds a request. Each round begins with an empty store.
#[must_use]
pub fn measure(
    contenders: &[Contender],
    kind: Kind,
    rounds: usize,
    requests: usize,
) -> Vec<Spread> {
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            times.push(round(contender, kind, requests));
        }
    }
    times.into_iter().map(Spread::of).collect()
}

fn round(contender: &Contender, kind: Kind, requests: usize) -> f64 {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut visitor = Visitor::of(contender).await;
        // A store that has sessions already.
        visitor.repeat(kind, requests).await;
        let began = Instant::now();
        visitor.repeat(kind, requests).await;
        #[expect(clippy::cast_precision_loss, reason = "a round is short")]
        let nanoseconds = began.elapsed().as_nanos() as f64 / requests as f64;
        nanoseconds
    })
}
