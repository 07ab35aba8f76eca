//! A copy of the runtime, in a workspace of its own under `target`.
//!
//! It ends with the machine: what stands above it, and the tests of what stands below it, are left out, so
//! that a build takes seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bugs::Bug;

/// The machine's folder in the runtime.
pub(crate) const MACHINE: &str = "src/protocol";

/// The modules of the runtime that the copy leaves out.
const LEFT_OUT: [&str; 3] = ["extract", "layer", "trace"];

pub(crate) struct Copy {
    root: PathBuf,
    built: PathBuf,
}

impl Copy {
    pub(crate) fn new() -> Self {
        let sessile = Path::new(env!("CARGO_MANIFEST_DIR"));
        let planted = sessile.join("target/planted");
        let copy = Self {
            root: planted.join("tree"),
            built: planted.join("build"),
        };
        if copy.root.exists() {
            fs::remove_dir_all(&copy.root).unwrap();
        }
        fs::create_dir_all(copy.runtime()).unwrap();
        let manifest = fs::read_to_string(sessile.join("Cargo.toml")).unwrap();
        fs::write(copy.root.join("Cargo.toml"), workspace(&manifest)).unwrap();
        fs::copy(sessile.join("Cargo.lock"), copy.root.join("Cargo.lock")).unwrap();
        let runtime = sessile.join("session-runtime");
        let manifest = fs::read_to_string(runtime.join("Cargo.toml")).unwrap();
        fs::write(copy.runtime().join("Cargo.toml"), manifest).unwrap();
        copy_sources(&runtime.join("src"), &copy.runtime().join("src"));
        copy
    }

    /// Does something while the bug is in the copy.
    pub(crate) fn with<T>(&self, bug: &Bug, does: impl FnOnce(&Self) -> T) -> T {
        let path = self.runtime().join(MACHINE).join(bug.file);
        let sound = fs::read_to_string(&path).unwrap();
        assert_eq!(sound.matches(bug.from).count(), 1, "{}", bug.name);
        fs::write(&path, sound.replace(bug.from, bug.to)).unwrap();
        let done = does(self);
        fs::write(&path, sound).unwrap();
        done
    }

    /// Builds the unit tests, and returns their program.
    pub(crate) fn build(&self) -> Result<PathBuf, String> {
        let built = Command::new(env!("CARGO"))
            .args(["test", "--release", "--lib", "--no-run"])
            .args(["--package", "session-runtime", "--message-format", "json"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.built)
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&built.stdout);
        let messages: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if built.status.success() {
            let programs = messages.iter().filter_map(|it| it["executable"].as_str());
            return Ok(programs.map(PathBuf::from).next_back().unwrap());
        }
        let errors = messages.iter().map(|it| &it["message"]);
        let errors = errors.filter(|it| it["level"] == "error");
        let errors: Vec<_> = errors.filter_map(|it| it["rendered"].as_str()).collect();
        let cargo = String::from_utf8_lossy(&built.stderr);
        Err(format!("{}\n{cargo}", errors.join("\n")))
    }

    fn runtime(&self) -> PathBuf {
        self.root.join("session-runtime")
    }
}

/// The settings of this workspace, for one whose only member is the runtime.
fn workspace(manifest: &str) -> String {
    let settings = manifest.split_once("[workspace.package]").unwrap().1;
    let settings = settings.split_once("\n[package]").unwrap().0;
    format!(
        "[workspace]\nmembers = [\"session-runtime\"]\nresolver = \"3\"\n\n[workspace.package]{settings}"
    )
}

fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let to = to.join(name);
        if LEFT_OUT.contains(&name) {
            continue;
        }
        if path.is_dir() {
            copy_sources(&path, &to);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = if name == "lib.rs" {
            lower_modules(&text)
        } else {
            without_tests(&text)
        };
        fs::write(to, text).unwrap();
    }
}

/// The modules up to the machine, and what they export.
fn lower_modules(lib: &str) -> String {
    let modules = lib.split_once("pub mod from_express_session").unwrap().0;
    let is_left_out = |item: &str| {
        LEFT_OUT.iter().any(|module| {
            item.contains(&format!("\nmod {module};"))
                || item.contains(&format!("pub use {module}::"))
        })
    };
    // An item begins with the line feed that ends the one before it.
    let items = modules.split(';').map(|item| format!("{item};"));
    let items: String = items.filter(|item| !is_left_out(item)).collect();
    items.trim_end_matches(['\n', ';']).to_owned() + ";\n"
}

/// The unit tests and the conformance suite are not built.
fn without_tests(text: &str) -> String {
    let never = "#[cfg(any())]\n";
    text.replace(
        "#[cfg(any(test, feature = \"testing\"))]\npub(crate) mod conformance",
        &format!("{never}pub(crate) mod conformance"),
    )
    .replace("#[cfg(test)]\nmod tests", &format!("{never}mod tests"))
    .replace(
        "#[cfg(test)]\npub(crate) mod tests",
        &format!("{never}pub(crate) mod tests"),
    )
}
