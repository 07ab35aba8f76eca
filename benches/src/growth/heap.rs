//! Asks `heap`, a program of its own: what counts the allocations of one would slow all others down.

use std::process::Command;

use crate::programs::beside;

/// What it answers to these words, row by row.
#[must_use]
pub fn ask(words: &[&str]) -> Vec<Vec<f64>> {
    let mut heap = Command::new(beside("heap"));
    let answer = heap.args(words).output().expect("it was built");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "heap {words:?}: {said}");
    let text = String::from_utf8(answer.stdout).expect("numbers");
    let numbers = |line: &str| {
        let words = line.split(' ');
        words.map(|word| word.parse().expect("a number")).collect()
    };
    text.lines().map(numbers).collect()
}
