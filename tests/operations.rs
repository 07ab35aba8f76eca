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

const LEVELS: [&str; 4] = ["debug!(", "info!(", "warn!(", "error!("];

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

#[test]
fn what_is_to_be_watched_is_said_at_the_level_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("session-runtime/src");
    let sources = ["layer/events.rs", "data/reader.rs"].map(|file| root.join(file));
    let sources = sources.map(|path| fs::read_to_string(path).unwrap());
    // A message may go over several lines.
    let sources = sources.join("");
    let said: Vec<_> = sources.split_whitespace().collect();
    let said = said.join(" ").replace("\\ ", "");
    let page = page();
    let (_, watched) = page.split_once("| event | level | means |").unwrap();
    let (watched, _) = watched.split_once("\n\n").unwrap();
    let mut count = 0;
    for row in watched.lines().skip(2) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (events, level) = (cells[1].split('`').skip(1).step_by(2), cells[2]);
        for event in events {
            let opening = format!("{level}!(");
            let mut rests = said.split(&opening).skip(1);
            let is_said = rests.any(|rest| {
                // Up to the next event, at whatever level.
                let next = LEVELS.iter().filter_map(|level| rest.find(level)).min();
                let (arguments, _) = rest.split_at(next.unwrap_or(rest.len()));
                arguments.contains(&format!("\"{event}"))
            });
            assert!(is_said, "{level}: {event}");
            count += 1;
        }
    }
    assert!(count > 8, "{count} events are watched");
}
