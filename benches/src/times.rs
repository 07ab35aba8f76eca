//! How long a request takes, by rounds in which everybody has a turn.

use std::time::Instant;

use tokio::runtime::Builder;

use crate::contenders::Contender;
use crate::drive::Visitor;
use crate::kind::Kind;

/// Nanoseconds a request.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    pub median: f64,
    /// Between a tenth of the rounds and nine tenths.
    pub tenth: f64,
    pub ninth_tenth: f64,
}

/// Measures each contender in turn, round by round, so that what the machine does meanwhile hits all
/// alike. Each round begins with an empty store.
#[must_use]
pub fn measure(contenders: &[Contender], kind: Kind, rounds: usize, requests: usize) -> Vec<Time> {
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            times.push(round(contender, kind, requests));
        }
    }
    times.into_iter().map(Time::of).collect()
}

fn round(contender: &Contender, kind: Kind, requests: usize) -> f64 {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut visitor = Visitor::of(contender).await;
        visitor.repeat(kind, requests / 4).await;
        let began = Instant::now();
        visitor.repeat(kind, requests).await;
        #[expect(clippy::cast_precision_loss, reason = "a round is short")]
        let nanoseconds = began.elapsed().as_nanos() as f64 / requests as f64;
        nanoseconds
    })
}

impl Time {
    pub(crate) fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |tenths: usize| rounds[(rounds.len() - 1) * tenths / 10];
        Self {
            median: at(5),
            tenth: at(1),
            ninth_tenth: at(9),
        }
    }
}
