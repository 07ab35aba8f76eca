//! Counts waits by their length; knows no request and no store.

use std::time::Duration;

use crate::growth::kinds::exact;

/// A step of the short waits, in nanoseconds; longer ones are kept one by one.
const STEP: usize = 100;
const STEPS: usize = 1000;
const SLOW: Duration = Duration::from_millis(5);

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

    /// The time that one request in so many takes at least, in microseconds.
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
