//! A module imports only from those above it: the order of the house, kept by a test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; a module imports only from the lines above its own.
const RUNTIME: &[&[&str]] = &[
    &["id", "merge", "expiry", "wire"],
    &["record", "secret"],
    &["token"],
    &["data", "cookie"],
    &["express"],
    &["store"],
    &["layer"],
    &["extract"],
];
const DERIVE: &[&[&str]] = &[
    &["diag", "case"],
    &["syntax"],
    &["attr"],
    &["keys"],
    &["model"],
    &["expand"],
    &["fallback"],
];

#[test]
fn the_runtime_imports_only_downwards() {
    assert_eq!(
        violations("session-runtime/src", RUNTIME),
        Vec::<String>::new()
    );
}

#[test]
fn the_derive_imports_only_downwards() {
    assert_eq!(
        violations("session-derive/src", DERIVE),
        Vec::<String>::new()
    );
}

#[test]
fn an_import_that_is_turned_round_is_found() {
    let upwards = "use crate::layer::RequestSession;\nuse crate::record::Record;\n";
    let found: Vec<_> = imports(upwards)
        .filter(|to| !may_import("store", to, RUNTIME))
        .collect();
    assert_eq!(found, ["layer"]);
    let sideways = "fn f() { crate::cookie::presented() } // crate::extract is only spoken of";
    let found: Vec<_> = imports(sideways)
        .filter(|to| !may_import("data", to, RUNTIME))
        .collect();
    assert_eq!(found, ["cookie"]);
}

#[test]
fn every_module_has_its_place() {
    for (root, order) in [
        ("session-runtime/src", RUNTIME),
        ("session-derive/src", DERIVE),
    ] {
        for (module, _) in sources(root) {
            assert!(
                floor(&module, order).is_some(),
                "{root}: `{module}` is on no floor"
            );
        }
    }
}

#[test]
fn events_are_said_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("session-runtime/src");
    let mut speakers: Vec<_> = files(&root)
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("tracing::"))
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .collect();
    speakers.sort();
    // A field that no longer decodes is found below the layer.
    let allowed = ["data/reader.rs", "layer/events.rs"];
    assert_eq!(speakers, allowed.map(Path::new));
}

fn violations(root: &str, order: &[&[&str]]) -> Vec<String> {
    let mut violations = Vec::new();
    for (module, text) in sources(root) {
        for to in imports(&text) {
            if !may_import(&module, to, order) {
                violations.push(format!("{module} -> {to}"));
            }
        }
    }
    violations
}

fn may_import(from: &str, to: &str, order: &[&[&str]]) -> bool {
    match (floor(from, order), floor(to, order)) {
        (Some(from_floor), Some(to_floor)) => from == to || to_floor < from_floor,
        // An item of the crate's face, in a test or a doc link.
        _ => true,
    }
}

fn floor(module: &str, order: &[&[&str]]) -> Option<usize> {
    order.iter().position(|floor| floor.contains(&module))
}

/// The modules that a file's code names by `crate::`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            end.map_or(rest, |end| rest.split_at(end).0)
        })
}

/// The text of every file, with the top-level module it belongs to; `lib.rs` stands above all.
fn sources(root: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut sources = Vec::new();
    for path in files(&root) {
        let inside = path.strip_prefix(&root).unwrap().with_extension("");
        let module = inside.iter().next().unwrap().to_str().unwrap().to_owned();
        if !matches!(module.as_str(), "lib" | "tests") {
            sources.push((module, fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    assert!(
        files.len() > 4,
        "the sources are where the test looks for them"
    );
    files
}
