//! What sessions keep in memory; whoever has this module pays for counting each allocation.

use std::fs::read_to_string;

use allocation_counter::measure;
use axum::Router;
use axum::http::HeaderValue;
use benches::client::Client;
use tokio::runtime::Runtime;

/// How many of the sessions are read in the end.
const CHECKED: usize = 100;

/// What each session takes.
pub(crate) struct Bytes {
    /// Asked of the allocator and not given back.
    pub(crate) held: i64,
    /// What the process has become larger by.
    #[allow(dead_code, reason = "only a process that does nothing else can tell")]
    pub(crate) resident: i64,
}

/// Begins so many sessions with one counter. The runtime is of one thread: what is counted is what this thread
/// does.
pub(crate) fn of(runtime: &Runtime, app: &Router, sessions: usize) -> Bytes {
    let mut client = Client::of(app);
    runtime.block_on(client.begin("/write"));
    // Made before it is counted.
    let mut kept: Vec<u8> = Vec::with_capacity(CHECKED * 1000);
    let before = resident();
    let held = measure(|| {
        runtime.block_on(async {
            for session in 0..sessions {
                let cookie = client.begin("/write").await;
                if session % (sessions / CHECKED) == 0 {
                    kept.extend(cookie.as_bytes());
                    kept.push(b'\n');
                }
            }
        });
    });
    let grown = resident() - before;
    for cookie in kept
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty())
    {
        let cookie = HeaderValue::from_bytes(cookie).expect("a cookie is a header");
        let count = runtime.block_on(client.number("/read", &cookie));
        assert_eq!(count, 1, "each session is there");
    }
    let each = |bytes: i64| bytes / i64::try_from(sessions).expect("a count");
    Bytes {
        held: each(held.bytes_current),
        resident: each(grown),
    }
}

/// Bytes that the process has in memory.
fn resident() -> i64 {
    let status = read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: i64 = kibibytes.and_then(|it| it.parse().ok()).expect("a size");
    kibibytes * 1024
}
