//! The programs beside this one, for what must not slow all else down: counting, a profiler, a server.

use std::env::current_exe;
use std::path::PathBuf;
use std::process::Command;

/// Builds them, before anything is written that the library's documentation is built from.
pub fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--bins", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if cfg!(not(feature = "stores")) {
        cargo.arg("--no-default-features");
    }
    if cfg!(all(feature = "peers", not(feature = "stores"))) {
        cargo.args(["--features", "peers"]);
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the programs are built");
}

/// Where one of them is.
#[must_use]
pub fn beside(program: &str) -> PathBuf {
    let this = current_exe().expect("a program knows where it is");
    let folder = this.parent().expect("it is in a folder");
    // Tests are in a folder of their own.
    let folder = if folder.ends_with("deps") {
        folder.parent().expect("it is in a folder")
    } else {
        folder
    };
    folder.join(program)
}
