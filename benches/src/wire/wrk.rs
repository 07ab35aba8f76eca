//! Has wrk ask a server.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::servers::{Folder, Missing, find};

/// Connections that are kept alive, each with one request at a time.
pub(super) const CONNECTIONS: u32 = 64;

pub(super) struct Wrk {
    program: PathBuf,
    folder: Folder,
}

/// The answers of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) requests: u64,
    /// Those that were not answered with success, or not at all.
    pub(super) failed: u64,
    /// Of those that were.
    pub(super) a_second: f64,
}

impl Wrk {
    pub(super) fn new() -> Result<Self, Missing> {
        let program = find("wrk", "wrk")?;
        let folder = Folder::new("wrk");
        let script = folder.path().join("wrk.lua");
        fs::write(script, include_str!("wrk.lua")).expect("a file");
        Ok(Self { program, folder })
    }

    /// Asks for a path for so long, as many visitors in turn. None of them is somebody without a cookie.
    pub(super) fn ask(
        &self,
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        time: Duration,
    ) -> Answered {
        let file = self.folder.path().join("cookies");
        fs::write(&file, cookies.join("\n") + "\n").expect("a file");
        self.run(&file, &format!("http://{address}{path}"), time)
    }

    fn run(&self, cookies: &Path, url: &str, time: Duration) -> Answered {
        let mut command = Command::new(&self.program);
        command
            .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{}s", time.as_secs()), "--script"])
            .arg(self.folder.path().join("wrk.lua"))
            .args([url, "--"])
            .arg(cookies);
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let measured = said.lines().find_map(|line| line.strip_prefix("measured "));
        let figures = measured.and_then(|line| {
            let figures: Result<Vec<u32>, _> = line.split(' ').map(str::parse).collect();
            figures.ok()
        });
        let Some(&[requests, microseconds, failed]) = figures.as_deref() else {
            panic!("{url}: {output:?}");
        };
        Answered {
            requests: requests.into(),
            failed: failed.into(),
            a_second: f64::from(requests - failed.min(requests)) * 1e6 / f64::from(microseconds),
        }
    }
}
