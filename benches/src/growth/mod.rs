//! How costs grow: each module measures one curve, draws it, and answers with its part of the report.

pub mod bytes;
pub mod client;
pub mod cookies;
pub mod fields;
pub mod heap;
pub mod kinds;
pub mod other;
pub mod page;
pub mod plot;
pub mod rounds;
pub mod sessions;
pub mod size;
pub mod sweep;
pub mod writers;

/// A curve's part of the report.
type Section = fn() -> String;

/// Each by the word that asks for it alone.
const ALL: [(&str, Section); 7] = [
    ("sessions", sessions::section),
    ("fields", fields::section),
    ("size", size::section),
    ("writers", writers::section),
    ("sweep", sweep::section),
    ("bytes", bytes::section),
    ("cookies", cookies::section),
];

/// Prints all curves for the word `growth`, or the one that a word names.
pub fn run(word: &str) {
    let asked = ALL
        .iter()
        .filter(|(name, _)| [name, "growth"].contains(&word));
    let mut asked = asked.peekable();
    assert!(asked.peek().is_some(), "nothing is named {word}");
    heap::build();
    page::write_machine();
    for (_, section) in asked {
        println!("{}", section());
    }
}
