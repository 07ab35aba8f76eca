//! Counts what is allocated. It is a program of its own, since the counter is in the allocator.

use std::env::args;
use std::fs::read_to_string;

use allocation_counter::{AllocationInfo, measure};
use axum::http::HeaderValue;
use benches::growth::client::Client;
use benches::growth::{cookies, sessions};
use tokio::runtime::{Builder, Runtime};

/// How many of the sessions are read in the end.
const CHECKED: usize = 100;

fn main() {
    let words: Vec<_> = args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["bytes", name, count] => bytes(name, count.parse().expect("a number")),
        ["cookies", name] => allocations(name),
        _ => panic!("heap bytes <contender> <sessions>, or heap cookies <contender>"),
    }
}

fn runtime() -> Runtime {
    // Of one thread: the counter counts what its own thread does.
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// Prints what each of so many sessions with one counter takes: bytes asked of the allocator and not
/// given back, and bytes that the process has become larger by.
fn bytes(name: &str, sessions: usize) {
    let runtime = runtime();
    let app = runtime.block_on(sessions::app_of(name));
    let mut client = Client::of(&app);
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
    let AllocationInfo { bytes_current, .. } = held;
    let each = |bytes: i64| bytes / i64::try_from(sessions).expect("a count");
    println!("{} {}", each(bytes_current), each(grown));
}

/// Bytes that the process has in memory.
fn resident() -> i64 {
    let status = read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: i64 = kibibytes.and_then(|it| it.parse().ok()).expect("a size");
    kibibytes * 1024
}

/// Prints a row for each number of pairs in the header: how often a read allocates where none is the
/// session's, and where the last is.
fn allocations(name: &str) {
    let runtime = runtime();
    for pairs in cookies::PAIRS {
        let counts = [false, true].map(|is_last| {
            let mut look = runtime.block_on(cookies::Look::of(name, pairs, is_last));
            runtime.block_on(look.once());
            let info = measure(|| runtime.block_on(look.once()));
            info.count_total
        });
        let [none, last] = counts;
        println!("{none} {last}");
    }
}
