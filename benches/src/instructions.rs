//! How many instructions a request takes, as valgrind counts them: the same number each time, whatever
//! else the machine does. Valgrind has no SHA instructions, so that a hash counts some 3,000.

use std::process::Command;

use crate::kind::Kind;
use crate::programs::beside;

/// Enough that the first requests, which fill caches and tables, do not matter.
const WARM: u64 = 300;
const COUNTED: u64 = 300;

/// The instructions of one request, without those of the start; `None` without valgrind.
#[must_use]
pub fn of(contender: &str, kind: Kind) -> Option<u64> {
    let few = count(contender, kind, WARM)?;
    let more = count(contender, kind, WARM + COUNTED)?;
    Some((more - few) / COUNTED)
}

fn count(contender: &str, kind: Kind, times: u64) -> Option<u64> {
    let counted = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(beside("one"))
        .args([contender, kind.name(), &times.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&counted.stderr);
    assert!(counted.status.success(), "{contender}, {kind:?}: {said}");
    let line = said.lines().find(|line| line.contains("refs:"));
    let number = line.and_then(|line| line.rsplit(' ').next());
    let number = number.expect("callgrind says how many").replace(',', "");
    Some(number.parse().expect("a number"))
}
