//! What must not grow unnoticed, of all that does not jitter: allocations, bytes, instructions. Whoever
//! makes something dearer changes a number here, and says why.

#[path = "../src/bin/heap/bytes.rs"]
mod bytes;
#[path = "../src/bin/counts/count.rs"]
mod count;

use benches::contenders::{self, Contender};
use benches::instructions;
use benches::kind::Kind;
use tokio::runtime::Builder;

fn contender(name: &str) -> Contender {
    let own = contenders::own().into_iter();
    let mut named = own.filter(|contender| contender.name == name);
    named.next().expect("a contender of this name")
}

#[test]
fn a_request_allocates_no_more_than_it_did() {
    // Above those of the same request without sessions. A layer that does nothing makes 2.
    for (kind, most) in [
        (Kind::Untouched, 5.0),
        (Kind::Anonymous, 5.0),
        (Kind::Read, 5.0),
        // A commit has no box; the value of a field that changed has one of its own.
        (Kind::ReadModifyWrite, 10.0),
        // Three more are the values of the struct that is put in, and one the list of what is to be logged.
        (Kind::FirstVisit, 17.5),
        (Kind::Login, 16.5),
    ] {
        let bare = count::allocations(&contender("bare axum"), kind);
        let more = count::allocations(&contender("sessile"), kind) - bare;
        assert!(
            more <= most,
            "{}: {more} allocations, {most} were",
            kind.name()
        );
        // An improvement is to be kept.
        assert!(
            more > most - 1.0,
            "{}: only {more}, write it down",
            kind.name()
        );
    }
}

#[test]
fn a_session_takes_no_more_memory_than_it_did() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(contender("sessile").app());
    let bytes = bytes::of(&runtime, &app, 100_000).held;
    // Of whole bytes, rounded down.
    assert!(bytes < 200, "{bytes} bytes");
}

#[test]
#[ignore = "needs valgrind (Debian package valgrind)"]
fn a_request_takes_no_more_instructions_than_it_did() {
    // So many hundredths more or less: another compiler, another version of a crate.
    const TOLERANCE: u64 = 5;
    for (kind, expected) in [
        // Each call of a request is a chain of steps of one machine, which costs moves: some 300 instructions where
        // nothing is asked, 2,600 where nothing is stored, 4,200 in a write.
        (Kind::Untouched, 2_655),
        (Kind::Anonymous, 6_589),
        (Kind::Read, 19_507),
        (Kind::ReadModifyWrite, 25_928),
        (Kind::FirstVisit, 31_601),
        (Kind::Login, 45_660),
    ] {
        let bare = instructions::of("bare axum", kind).expect("valgrind runs");
        let more = instructions::of("sessile", kind).expect("valgrind runs") - bare;
        let differs = more.abs_diff(expected);
        assert!(
            differs * 100 <= expected * TOLERANCE,
            "{}: {more} instructions, {expected} were",
            kind.name()
        );
    }
}
