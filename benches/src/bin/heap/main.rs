//! Counts what is allocated. It is a program of its own, since the counter is in the allocator.

mod bytes;

use std::env::args;

use allocation_counter::measure;
use benches::growth::{cookies, sessions};
use tokio::runtime::{Builder, Runtime};

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

/// Prints what each of so many sessions takes: bytes of the heap, and of the process.
fn bytes(name: &str, sessions: usize) {
    let runtime = runtime();
    let app = runtime.block_on(sessions::app_of(name));
    let bytes::Bytes { held, resident } = bytes::of(&runtime, &app, sessions);
    println!("{held} {resident}");
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
