//! What the operations page says is what the servers say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "operations/connections.rs"]
mod connections;
#[path = "operations/rights.rs"]
mod rights;
mod servers;
#[path = "operations/sizes.rs"]
mod sizes;
mod support;

use std::fs;
use std::path::Path;

/// The page, as the docs show it.
fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("session-runtime/docs/operations.md");
    fs::read_to_string(path).unwrap()
}

/// What the page prints in the one block of code that contains this.
fn printed(text: &str) -> String {
    let page = page();
    let blocks = page.split("```").skip(1).step_by(2);
    let mut found = blocks.filter(|block| block.contains(text));
    let block = found.next().unwrap_or_else(|| panic!("no block: {text}"));
    assert!(found.next().is_none(), "more than one block: {text}");
    // Without the language.
    block.split_once('\n').unwrap().1.trim().to_owned()
}
