//! The docs name what comes with each feature, and why: as cargo does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The features of which the docs show the tree; without one it is the default.
const SHOWN: [&str; 4] = ["default", "postgres", "redis", "sqlite"];

/// Adds nothing to the tree: it is for those who test a store.
const NOT_SHOWN: &str = "testing";

#[test]
fn the_docs_show_the_tree_of_each_feature() {
    for feature in SHOWN {
        let path = docs().join(format!("trees/{feature}.txt"));
        let tree = tree(feature);
        // After a change of dependencies. Read what has come.
        if std::env::var("TREES").is_ok_and(|value| value == "overwrite") {
            fs::write(&path, &tree).unwrap();
        }
        let shown = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            shown == tree,
            "{} is not what cargo says: `TREES=overwrite cargo test --test dependencies`",
            path.display()
        );
        assert!(page_of("lib.rs").contains(&format!("trees/{feature}.txt")));
    }
    let features = packages()
        .iter()
        .flat_map(|package| package["features"].as_object().unwrap().keys().cloned())
        .filter(|feature| feature != NOT_SHOWN)
        .collect::<BTreeSet<_>>();
    let shown = SHOWN.into_iter().skip(1).map(str::to_owned);
    assert_eq!(features, shown.collect());
    assert_eq!(tree(NOT_SHOWN), tree("default"));
}

#[test]
fn the_docs_say_what_each_direct_dependency_is_for() {
    let direct: BTreeSet<String> = packages()
        .iter()
        .flat_map(|package| package["dependencies"].as_array().unwrap())
        .filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect();
    let page = fs::read_to_string(docs().join("dependencies.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let crates = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let named: BTreeSet<_> = crates
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, direct);
}

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("session-runtime/docs")
}

fn page_of(source: &str) -> String {
    fs::read_to_string(docs().join("../src").join(source)).unwrap()
}

/// What cargo says, without versions: those of one crate change too often to be shown.
fn tree(feature: &str) -> String {
    let mut arguments = vec!["tree", "--locked", "--edges", "normal", "-p", "sessile"];
    arguments.extend(["--charset", "utf8", "--target", "x86_64-unknown-linux-gnu"]);
    if feature != "default" {
        arguments.extend(["--features", feature]);
    }
    cargo(&arguments).lines().map(without_version).collect()
}

/// `├── syn v3.0.2 (*)` without its number, nor where a crate of the workspace lies.
fn without_version(line: &str) -> String {
    let is_number = |word: &&str| {
        let number = word.strip_prefix('v');
        number.is_some_and(|number| number.starts_with(char::is_numeric))
    };
    let words = line
        .split(' ')
        .filter(|word| !is_number(word) && !word.starts_with("(/"));
    words.collect::<Vec<_>>().join(" ") + "\n"
}

/// The library's packages, as their manifests say.
fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let mut metadata: Value = serde_json::from_str(&metadata).unwrap();
    let Value::Array(mut packages) = metadata["packages"].take() else {
        panic!("cargo names packages");
    };
    packages.retain(|package| {
        let name = package["name"].as_str().unwrap();
        ["sessile", "session-runtime", "session-derive"].contains(&name)
    });
    assert_eq!(packages.len(), 3);
    packages
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
