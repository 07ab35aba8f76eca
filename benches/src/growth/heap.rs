//! Asks `heap`, a program of its own: what counts the allocations of one would slow all others down.

use std::env::current_exe;
use std::process::Command;

/// Builds it, before anything is written that the library's documentation is built from.
pub fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--release",
        "--bin",
        "heap",
        "--manifest-path",
    ]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if cfg!(not(feature = "peers")) {
        cargo.arg("--no-default-features");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "heap is built");
}

/// What it answers to these words, row by row.
#[must_use]
pub fn ask(words: &[&str]) -> Vec<Vec<f64>> {
    let program = current_exe().expect("a program knows where it is");
    let mut heap = Command::new(program.with_file_name("heap"));
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
