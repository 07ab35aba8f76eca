//! Prints what sessions cost: everything, which `RESULTS.md` then holds, or the parts that are named.

use std::fs;

#[cfg(feature = "stores")]
use benches::wire::{loopback, serve::serve, stored};
use benches::{costs, herd, report, threads, times};

/// A part of the report by its word.
type Part = (&'static str, fn() -> String);

const PARTS: &[Part] = &[
    ("times", times::section),
    ("costs", costs::section),
    ("threads", threads::section),
    ("herd", herd::section),
    #[cfg(feature = "stores")]
    ("loopback", loopback::section),
    #[cfg(feature = "stores")]
    ("redis", stored::redis_section),
    #[cfg(feature = "stores")]
    ("postgres", stored::postgres_section),
    #[cfg(feature = "stores")]
    ("herd-redis", stored::herd::section),
];

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        // What the parts start to be asked by others.
        #[cfg(feature = "stores")]
        ["serve", part, name, store] => serve(part, name, store),
        [] => {
            let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
            fs::write(kept, print(PARTS)).expect("the folder of the benches can be written to");
        }
        _ => {
            let named = |word: &&str| {
                let part = PARTS.iter().find(|(name, _)| name == word);
                *part.unwrap_or_else(|| panic!("`{word}` is no part of the report: {}", names()))
            };
            print(&words.iter().map(named).collect::<Vec<_>>());
        }
    }
}

fn names() -> String {
    let names: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Prints each part as soon as it is there, and hands them all out.
fn print(parts: &[Part]) -> String {
    let mut whole = report::heading();
    println!("{whole}");
    for (_, section) in parts {
        let section = section();
        println!("{section}");
        whole.push_str(&section);
        whole.push('\n');
    }
    whole
}
