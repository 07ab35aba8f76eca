//! Programs of Node, with what their lock file names.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Missing, Program, find};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/express");

/// Starts the server that has express-session, over Redis if there is a URL.
///
/// # Errors
///
/// [`Missing`] where Node is not installed.
pub fn express(store: Option<&str>) -> Result<Program, Missing> {
    let node = find("node", "nodejs")?;
    let npm = find("npm", "npm")?;
    install(&npm);
    Ok(Program::start("TERM", &node, |command| {
        command
            .arg(Path::new(FOLDER).join("server.js"))
            .env("NODE_ENV", "production")
            .env("STORE", store.unwrap_or_default())
            // Node would make what we print to one that does not block, for all who print there.
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
    }))
}

/// Installs what the lock file names, if it is not there.
fn install(npm: &Path) {
    let changed = |file: &str| Path::new(FOLDER).join(file).metadata()?.modified();
    let wanted = changed("package-lock.json").expect("it is in the repository");
    // npm writes this one when all is there.
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return;
    }
    let mut command = Command::new(npm);
    let command = command.args(["ci", "--no-audit", "--no-fund"]);
    let done = command.current_dir(FOLDER).output().expect("it runs");
    assert!(done.status.success(), "{done:?}");
}
