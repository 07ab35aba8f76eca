//! What a request allocates, and what a session keeps: a program of its own, as counting makes every
//! allocation slower.

mod count;

use benches::contenders;
use benches::kind::Kind;

const SESSIONS: usize = 100_000;

/// A line for each contender: its name, then the allocations of each kind, then the bytes.
fn main() {
    for contender in contenders::all() {
        let allocations = Kind::ALL.map(|kind| count::allocations(&contender, kind));
        let bytes = count::bytes(&contender, SESSIONS);
        let numbers = allocations.iter().chain([&bytes]);
        let numbers: Vec<_> = numbers.map(|number| format!("{number:.1}")).collect();
        println!("{}\t{}", contender.name, numbers.join("\t"));
    }
}
