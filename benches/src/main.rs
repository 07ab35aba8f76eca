//! Prints what sessions cost: everything, which `RESULTS.md` then holds, or the parts that are named.

use std::env::current_exe;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[cfg(feature = "peers")]
use benches::growth;
use benches::report::Part;
#[cfg(feature = "stores")]
use benches::wire::{loopback, serve::serve, stored};
use benches::{costs, herd, programs, report, threads, times};

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
    #[cfg(feature = "stores")]
    if let ["serve", part, name, store] = words[..] {
        // What the parts start to be asked by others.
        return serve(part, name, store);
    }
    let all: Vec<_> = PARTS.iter().chain(curves()).copied().collect();
    let named = |word: &&str| {
        let part = all.iter().find(|(name, _)| name == word);
        *part.unwrap_or_else(|| panic!("no part `{word}`, but {}", names(&all)))
    };
    if let ["alone", part] = words[..] {
        let (_, section) = named(&part);
        print!("{}", section());
        return;
    }
    let asked: Vec<_> = words.iter().map(named).collect();
    // Before it is built anew, perhaps.
    let this = current_exe().expect("a program knows where it is");
    programs::build();
    if asked.is_empty() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        fs::write(kept, print(&this, &all)).expect("the folder of the benches can be written to");
    } else {
        print(&this, &asked);
    }
}

/// The parts that draw.
fn curves() -> &'static [Part] {
    #[cfg(feature = "peers")]
    return &growth::CURVES;
    #[cfg(not(feature = "peers"))]
    &[]
}

fn names(parts: &[Part]) -> String {
    let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Prints each part as soon as it is there, and hands them all out. Each is measured by a process of its own,
/// so that none has to do with the heap that another has left.
fn print(this: &Path, parts: &[Part]) -> String {
    let mut whole = report::heading();
    println!("{whole}");
    for (name, _) in parts {
        let mut alone = Command::new(this);
        alone.args(["alone", name]).stderr(Stdio::inherit());
        // glibc reads it when a process begins; the part itself says what for.
        if *name == "sessions" {
            alone.env("GLIBC_TUNABLES", "glibc.malloc.mxfast=0");
        }
        let measured = alone.output();
        let measured = measured.expect("it runs, and so may its like");
        assert!(measured.status.success(), "{name}: {}", measured.status);
        let section = String::from_utf8(measured.stdout).expect("a section is text");
        println!("{section}");
        whole.push_str(&section);
        whole.push('\n');
    }
    whole
}
