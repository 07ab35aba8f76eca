//! No id, key, token, secret or value of a field is in what is logged, printed or answered.
//!
//! What is planted here goes through every way to fail. All else that the suite does is searched too:
//! `tests/all` runs it once with `SESSILE_TRACE_DIR` set, which has every process write down what it
//! logs at TRACE (`support/trace.rs`), keeps what it prints beside that, and then runs
//! [`the_whole_suite_is_silent`]. Doctests write down nothing, and neither do the examples where they
//! run as programs of their own; what these print is kept.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "silent/planted.rs"]
mod planted;
#[path = "silent/scan.rs"]
mod scan;
mod support;

use std::fs;
use std::path::Path;

use scan::{CANARY, scan};

/// What the suite printed.
const PRINTED: &str = "suite.txt";

/// The programs of the suite that serve nobody, or by processes of their own, so that nothing is logged in them.
const SERVE_NOBODY: [&str; 8] = [
    "dependencies",
    "fault_proxy",
    "layering",
    "planted",
    "sessile",
    "session_derive",
    "two_servers",
    "ui",
];

#[test]
#[ignore = "searches what the suite has logged: ./tests/all runs it after the suite, with SESSILE_TRACE_DIR set"]
fn the_whole_suite_is_silent() {
    let folder = std::env::var_os("SESSILE_TRACE_DIR").expect("SESSILE_TRACE_DIR is set");
    let folder = Path::new(&folder);
    let printed = fs::read_to_string(folder.join(PRINTED)).unwrap();
    let logs = fs::read_dir(folder).unwrap();
    let logs: Vec<_> = logs.map(|entry| entry.unwrap().path()).collect();
    for program in programs(&printed) {
        let name = program
            .rsplit_once('-')
            .map_or(program, |(name, _hash)| name);
        let wrote = logs.iter().any(|log| {
            let log = log.file_name().unwrap().to_str().unwrap();
            log.starts_with(program)
        });
        let serves = !SERVE_NOBODY.contains(&name);
        assert_eq!(wrote, serves, "whether {name} writes down what it logs");
    }
    let (mut lines, mut found) = (0, Vec::new());
    for log in logs {
        for line in String::from_utf8_lossy(&fs::read(&log).unwrap()).lines() {
            lines += 1;
            found.extend(
                scan(line)
                    .into_iter()
                    .map(|what| format!("{}: {what}", log.display())),
            );
        }
    }
    assert!(
        lines > 10_000,
        "the whole suite logs more than {lines} lines"
    );
    eprintln!(
        "{lines} lines, {} of them with something to hide",
        found.len()
    );
    found.truncate(20);
    assert!(found.is_empty(), "{found:#?}");
}

/// The test programs that ran, by what cargo printed: `Running tests/x.rs (target/debug/deps/x-0a1b)`.
fn programs(printed: &str) -> impl Iterator<Item = &str> {
    let running = printed
        .lines()
        .filter(|line| line.trim_start().starts_with("Running "));
    running.filter_map(|line| line.strip_suffix(')')?.rsplit('/').next())
}

#[test]
fn the_programs_of_a_suite_are_found() {
    let printed = "   Running unittests src/lib.rs (target/debug/deps/sessile-1a2b)\nrunning 0 tests\n\
                   \x20    Running tests/silent.rs (/tmp/target/debug/deps/silent-3c4d)";
    assert_eq!(
        programs(printed).collect::<Vec<_>>(),
        ["sessile-1a2b", "silent-3c4d"]
    );
}

#[test]
fn a_planted_id_is_found() {
    let id = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFC";
    let tag = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let hex = "5a6d3976596d4679596d46366358563400a1b2c3d4e5f607";
    for planted in [
        id.to_owned(),
        tag.to_owned(),
        hex.to_owned(),
        hex.to_uppercase(),
        format!("{id}.{tag}"),
        // As an id of zeros, of ones and of a constant byte, which tests use.
        "A".repeat(32),
        "_".repeat(32),
        "BwcH".repeat(8),
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
        format!("{:?}", [7u8; 32]),
        format!("{:?}", [200u8; 24]),
        format!("{:?}", std::ffi::CString::new([7u8; 32]).unwrap()),
        format!("a secret of {CANARY}"),
    ] {
        for line in [
            planted.clone(),
            format!("INFO sessile: a session was created session={planted}"),
            format!("DEBUG hyper: cookie: a=b; __Host-sid={planted}; c=d"),
            format!("{{\"id\":\"{planted}\"}}"),
        ] {
            assert_ne!(scan(&line), [""; 0], "{line}");
        }
    }
}

#[test]
fn what_is_no_secret_is_not_found() {
    for line in [
        "INFO sessile: a session has a new id session=GBpjhGJLJgo8mgHF old=ebhvp5dmg23-0vyv",
        "test a_save_cut_short_that_arrives_later_loses_nothing_and_doubles_nothing ... ok",
        "     Running tests/x.rs (target/debug/deps/invariants_memory-3515fd49de803dfb)",
        "WARN sessile: a change is dropped data=events::Visits",
        "   at /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/panic.rs:57:8",
        "[1, 2, 3] and [300, 400] and []",
    ] {
        assert_eq!(scan(line), [""; 0], "{line}");
    }
}

#[test]
fn a_thousand_ids_are_found_in_any_encoding() {
    for _ in 0..1000 {
        let bytes: [u8; 24] = std::array::from_fn(|_| fastrand::u8(..));
        let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
        let id = planted::id_of(bytes);
        for planted in [id, hex, format!("{bytes:?}")] {
            assert_ne!(scan(&format!("id={planted} ")), [""; 0], "{planted}");
        }
    }
}
