//! Starts programs of Node, with what the example's lock file names.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where the example of an Express app stands, with what it needs in `node_modules`.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/beside_express");

/// A server that is killed when the test ends, or ends by itself when the test cannot kill it.
pub struct Node {
    process: Child,
    pub address: SocketAddr,
}

impl Node {
    /// Starts a script on a free port, which it prints.
    pub fn start(script: &str, env: &[(&str, &str)]) -> Self {
        install();
        let mut process = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
            .env("NODE_PATH", Path::new(EXAMPLE).join("node_modules"))
            .env("PORT", "0")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Node would make the pipe that the tests print to one that does not block, for all who print there.
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("node: {error}"));
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{script} does not start"));
        Self {
            process,
            address: address.parse().unwrap(),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Installs what the lock file names, once for all processes that ask at once.
fn install() {
    let folder = Path::new(EXAMPLE);
    let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node_modules.lock");
    let lock = File::create(lock).unwrap();
    lock.lock().unwrap();
    let changed = |file: &str| fs::metadata(folder.join(file))?.modified();
    let wanted = changed("package-lock.json").unwrap();
    // npm writes this one when all is there.
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return;
    }
    let done = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("npm: {error}"));
    assert!(done.status.success(), "{done:?}");
}
