//! What does not jitter: allocations, the memory of a session, instructions.

use std::process::Command;

use crate::contenders;
use crate::instructions;
use crate::kind::Kind;
use crate::report::table;

/// Allocations and bytes, then instructions.
#[must_use]
pub fn report() -> String {
    let kinds = Kind::ALL.map(Kind::name);
    let head = [&[""], &kinds[..], &["bytes a session, of 100,000"]].concat();
    let counts = counts();
    let allocations = format!(
        "## Allocations a request, and memory a session\n\n{}",
        table(&head, &counts)
    );
    let head = [&[""], &kinds[..]].concat();
    let rows: Option<Vec<_>> = contenders::all()
        .iter()
        .map(|contender| {
            let counted = Kind::ALL.map(|kind| instructions::of(contender.name, kind));
            let counted: Option<Vec<u64>> = counted.into_iter().collect();
            let numbers = counted?.into_iter().map(|number| number.to_string());
            Some(
                [contender.name.to_owned()]
                    .into_iter()
                    .chain(numbers)
                    .collect(),
            )
        })
        .collect();
    let instructions = rows.map_or_else(
        || "Left out: `valgrind` is not there (Debian package valgrind).\n".to_owned(),
        |rows| table(&head, &rows),
    );
    format!(
        "{allocations}\n## Instructions a request\n\n\
         As callgrind counts them; it has no SHA instructions, so that each hash counts some 3,000.\n\n\
         {instructions}"
    )
}

/// What the program beside this one counts.
fn counts() -> Vec<Vec<String>> {
    let counted = Command::new(instructions::beside("counts")).output();
    let counted = counted.expect("the program `counts` is built with this one");
    assert!(counted.status.success(), "{counted:?}");
    let text = String::from_utf8(counted.stdout).expect("text");
    let row = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().map(row).collect()
}
