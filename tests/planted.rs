//! Each bug that is planted in the machine is heard by a property of the explorer.
//!
//! The explorer (`session-runtime/src/protocol/explorer`) holds as much as its properties notice. This test
//! copies the runtime, plants one bug after another in the copy, and runs the explorer there until the
//! property that the bug breaks fails. `SESSILE_PLANTED=rotation` plants the bugs with this in their names.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "planted/bugs.rs"]
mod bugs;
#[path = "planted/copy.rs"]
mod copy;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use bugs::{BUGS, Bug};
use copy::Copy;

#[test]
fn each_bug_has_one_place_and_a_name_of_its_own() {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("session-runtime");
    for (at, bug) in BUGS.iter().enumerate() {
        let file = std::fs::read_to_string(runtime.join(copy::MACHINE).join(bug.file)).unwrap();
        let places = file.matches(bug.from).count();
        assert_eq!(places, 1, "`{}` in {}: {}", bug.from, bug.file, bug.name);
        assert!(BUGS.iter().skip(at + 1).all(|other| other.name != bug.name));
    }
}

#[test]
#[ignore = "builds the runtime sixty times: cargo test --release --test planted -- --ignored"]
fn every_planted_bug_is_heard() {
    let wanted = std::env::var("SESSILE_PLANTED").unwrap_or_default();
    let copy = Copy::new();
    copy.build().expect("the runtime builds without a bug");
    let mut silent = Vec::new();
    eprintln!("| name | heard by | seconds |\n|---|---|---|");
    for bug in BUGS.iter().filter(|bug| bug.name.contains(&wanted)) {
        let began = Instant::now();
        let found = hear(&copy, bug);
        let seconds = began.elapsed().as_secs();
        let heard = found.as_ref().map_or("nothing", |()| bug.heard_by);
        eprintln!("| {} | {heard} | {seconds} |", bug.name);
        if let Err(output) = found {
            silent.push(format!("{}:\n{output}", bug.name));
        }
    }
    assert!(silent.is_empty(), "not heard:\n{}", silent.join("\n"));
}

/// Runs the explorer on the machine with this bug, until the property fails that hears it.
fn hear(copy: &Copy, bug: &Bug) -> Result<(), String> {
    let tests = copy.with(bug, Copy::build)?;
    let mut explorer = Command::new(tests)
        // All at once, as one of them hears the bug.
        .args(["protocol::explorer", "--nocapture", "--test-threads=8"])
        .env("RUST_BACKTRACE", "0")
        .env_remove("SESSILE_FULL")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A broken property is a panic whose text is the name of the run, and the property.
    let property = format!(": {}", bug.heard_by);
    let mut output = String::new();
    for line in BufReader::new(explorer.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains(&property) {
            explorer.kill().unwrap();
            explorer.wait().unwrap();
            return Ok(());
        }
        output.push_str(&line);
        output.push('\n');
    }
    explorer.wait().unwrap();
    Err(output)
}
