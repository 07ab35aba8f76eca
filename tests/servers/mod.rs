//! Servers of the tests' own: on a free port, in a folder of their own, ended with the test.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes what it needs"
)]

#[cfg(feature = "postgres")]
pub mod postgres;

use std::net::TcpListener;
use std::process::Command;

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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
