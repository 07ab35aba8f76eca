//! Real servers for a test: on free ports, in folders of their own, ended with the test, however it ends;
//! and what stands between a store and its server.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file takes what it needs"
)]

#[cfg(feature = "redis")]
pub mod node;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

/// A folder that is removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("sessile-{name}-{}-{count}", process::id());
        let folder = env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A program that is killed when the test ends.
pub struct Program(Child);

impl Program {
    pub fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}", program.display())))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Freezes it: the kernel still takes what is sent to it.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A port that nobody listens to, nor to the one `beside` it.
pub fn free_port(beside: u16) -> u16 {
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1000)
        .map(|_| {
            let any = TcpListener::bind("127.0.0.1:0").unwrap();
            any.local_addr().unwrap().port()
        })
        .find(|port| {
            let other = port.checked_add(beside);
            is_free(*port) && other.is_some_and(is_free)
        })
        .expect("a machine has free ports")
}

/// Sends a signal to processes, of which some may have ended meanwhile.
pub fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .args(pids)
        .output();
    sent.expect("kill is there");
}
