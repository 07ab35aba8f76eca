//! Holds the order of the house: modules import downwards, and no files import each other in a circle.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "layering/circle.rs"]
mod circle;
#[path = "layering/house.rs"]
mod house;
#[path = "layering/source.rs"]
mod source;

use circle::{circles, describe};
use house::House;

/// From the ground up; a module imports only from the lines above its own.
const RUNTIME: &[&[&str]] = &[
    &["id", "merge", "expiry"],
    &["record", "secret"],
    &["token"],
    &["data", "cookie"],
    &["dialect"],
    &["store"],
    &["protocol"],
    &["layer"],
    &["extract"],
    &["testing"],
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

/// The first file of each crate whose files are judged.
const CRATES: &[&str] = &[
    "session-runtime/src/lib.rs",
    "session-derive/src/lib.rs",
    "benches/src/lib.rs",
    "benches/src/main.rs",
    "benches/src/bin/counts/main.rs",
    "benches/src/bin/heap/main.rs",
    "benches/src/bin/one.rs",
];

/// Folders and files whose circles, and number of files, are not judged yet.
const UNJUDGED: &[&str] = &[
    "session-runtime/src/data", // Delete this line once `SessionData` stands below its parts.
    "session-runtime/src/store/mod.rs", // Delete this line and the next once `StoreError`
    "session-runtime/src/store/answer.rs", // stands below `Answer`.
];

/// A folder with more files has a room in it that wants a door of its own.
const MOST_FILES: usize = 12;

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

#[test]
fn no_files_import_each_other_in_a_circle() {
    let read = |file: &Path| fs::read_to_string(root().join(file)).ok();
    let mut found = Vec::new();
    for first in CRATES {
        let arrows = House::read(Path::new(first), &read).arrows();
        let mut circles = circles(&arrows);
        circles.retain(|circle| !circle.iter().all(|file| is_unjudged(file)));
        found.extend(circles.iter().map(|circle| describe(circle, &arrows)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let found = circles_of(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "pub struct B; fn f() { super::c::f() }"),
        ("src/c.rs", "pub fn f() { println!(\"{}\", crate::a::A) }"),
    ]);
    assert_eq!(found, [["src/a.rs", "src/b.rs", "src/c.rs"]]);
}

#[test]
fn a_child_that_uses_what_a_parent_passes_on_is_in_no_circle_with_it() {
    let found = circles_of(&[
        ("src/lib.rs", "mod a;"),
        (
            "src/a/mod.rs",
            "mod b; mod c; pub use self::b::B; pub(crate) use c::*;",
        ),
        ("src/a/b.rs", "use super::C; pub struct B;"),
        ("src/a/c.rs", "pub struct C;"),
    ]);
    assert_eq!(found, Vec::<Vec<String>>::new());
}

#[test]
fn siblings_that_take_each_other_by_their_parent_are_in_a_circle() {
    let found = circles_of(&[
        ("src/lib.rs", "mod a;"),
        (
            "src/a.rs",
            "mod b; mod c; pub use self::{b::B as It, c::C};",
        ),
        ("src/a/b.rs", "use super::C; pub struct B;"),
        ("src/a/c.rs", "use crate::a; pub struct C(a::It);"),
    ]);
    assert_eq!(found, [["src/a/b.rs", "src/a/c.rs"]]);
}

#[test]
fn a_parent_that_uses_what_it_passes_on_is_in_a_circle_with_its_child() {
    let found = circles_of(&[
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", "mod b; pub use b::B; pub struct A(B);"),
        ("src/a/b.rs", "pub struct B(Option<Box<super::A>>);"),
    ]);
    assert_eq!(found, [["src/a/b.rs", "src/a.rs"]]);
}

#[test]
fn tests_doc_comments_and_outer_crates_make_no_circle() {
    let found = circles_of(&[
        ("src/lib.rs", "mod a; mod b; mod redis;"),
        (
            "src/a.rs",
            "/// [`crate::b::B`]\npub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        ("src/b.rs", "use crate::a::A; pub struct B;"),
        ("src/redis.rs", "use crate::b::B; use ::redis::Client;"),
    ]);
    assert_eq!(found, Vec::<Vec<String>>::new());
}

#[test]
fn no_folder_of_the_runtime_has_too_many_files() {
    let root = root();
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for file in files(&root.join("session-runtime/src")) {
        let folder = file.strip_prefix(root).unwrap().parent().unwrap();
        if !file.ends_with("tests.rs") && file.extension().is_some_and(|it| it == "rs") {
            *folders.entry(folder.to_owned()).or_default() += 1;
        }
    }
    folders.retain(|folder, files| *files > MOST_FILES && !is_unjudged(folder));
    assert_eq!(folders, BTreeMap::new(), "more than {MOST_FILES} files");
}

/// The circles of a crate that is written down here.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let read = |file: &Path| {
        let named = files.iter().find(|(name, _)| Path::new(name) == file);
        named.map(|(_, text)| (*text).to_owned())
    };
    let arrows = House::read(Path::new("src/lib.rs"), &read).arrows();
    let names = |circle: circle::Circle| {
        let files = circle.iter();
        files.map(|file| file.display().to_string()).collect()
    };
    circles(&arrows).into_iter().map(names).collect()
}

fn is_unjudged(path: &Path) -> bool {
    UNJUDGED.iter().any(|it| path.starts_with(it))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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
