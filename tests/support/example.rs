//! An example as a process of its own, killed when the test ends.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub struct Example {
    process: Child,
    pub address: SocketAddr,
}

impl Example {
    /// Starts it in this environment, on a free port, which it prints.
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Self {
        let mut process = Self::command(name)
            .env("PORT", "0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let address = address.parse().unwrap();
        Self { process, address }
    }

    /// What `cargo test` has built beside the tests.
    pub fn command(name: &str) -> Command {
        let test = std::env::current_exe().unwrap();
        let built = test.parent().and_then(|deps| deps.parent()).unwrap();
        let program: PathBuf = built.join("examples").join(name);
        assert!(
            program.exists(),
            "the example is not built: `cargo build --examples`, or a plain `cargo test`"
        );
        Command::new(program)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as a crash does (SIGKILL), at this instant.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it has ended by itself; whether it says that all went well.
    pub fn ended_well(&mut self) -> bool {
        self.process.wait().unwrap().success()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
