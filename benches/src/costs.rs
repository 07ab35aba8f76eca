//! What does not jitter: allocations and instructions.

use std::process::Command;

use crate::contenders;
use crate::instructions;
use crate::kind::Kind;
use crate::markdown::{row, table};
use crate::programs;

/// A name, and each kind of request.
const COLUMNS: usize = 1 + Kind::ALL.len();

/// Allocations, then instructions.
#[must_use]
pub fn section() -> String {
    let kinds = || [""].into_iter().chain(Kind::ALL.map(Kind::name));
    let allocations = format!(
        "## Allocations a request\n\n{}",
        table(row::<_, COLUMNS>(kinds()), counts())
    );
    let rows: Option<Vec<_>> = contenders::all()
        .iter()
        .map(|contender| {
            let counted = Kind::ALL.map(|kind| instructions::of(contender.name, kind));
            let counted: Option<Vec<u64>> = counted.into_iter().collect();
            let numbers = counted?.into_iter().map(|number| number.to_string());
            let name = [contender.name.to_owned()];
            Some(row::<_, COLUMNS>(name.into_iter().chain(numbers)))
        })
        .collect();
    let instructions = rows.map_or_else(
        || "Left out: `valgrind` is not there (Debian package valgrind).\n".to_owned(),
        |rows| table(row(kinds()), rows),
    );
    format!(
        "{allocations}\n## Instructions a request\n\n\
         As callgrind counts them; it has no SHA instructions, so that each hash counts some 3,000.\n\n\
         {instructions}"
    )
}

/// What the program beside this one counts.
fn counts() -> Vec<[String; COLUMNS]> {
    let counted = Command::new(programs::beside("counts")).output();
    let counted = counted.expect("the program `counts` is built with this one");
    assert!(counted.status.success(), "{counted:?}");
    let text = String::from_utf8(counted.stdout).expect("text");
    let cells = |line: &str| row(line.split('\t').map(str::to_owned));
    text.lines().map(cells).collect()
}
