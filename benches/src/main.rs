//! Prints what sessions cost: everything, which `RESULTS.md` then holds, or the parts that are named.

use std::fs;
use std::process::ExitCode;

use benches::{costs, report, times};

/// A part by its word.
type Part = (&'static str, fn() -> String);

const PARTS: [Part; 2] = [("times", times::report), ("costs", costs::report)];

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let is_known = |word: &String| PARTS.iter().any(|(name, _)| name == word);
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        let names: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no part `{unknown}`, only {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let mut whole = report::heading();
    println!("{whole}");
    let wanted = PARTS
        .iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|it| it == name));
    for (_, part) in wanted {
        let section = part();
        println!("{section}");
        whole.push_str(&section);
        whole.push('\n');
    }
    if words.is_empty() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        fs::write(kept, whole).expect("the folder of the benches can be written to");
    }
    ExitCode::SUCCESS
}
