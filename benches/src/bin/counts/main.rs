//! What a request allocates: a program of its own, as counting makes every allocation slower.

mod count;

use benches::contenders;
use benches::kind::Kind;

/// A line for each contender: its name, then the allocations of each kind.
fn main() {
    for contender in contenders::all() {
        let allocations = Kind::ALL.map(|kind| count::allocations(&contender, kind));
        let numbers = allocations.map(|number| format!("{number:.1}"));
        println!("{}\t{}", contender.name, numbers.join("\t"));
    }
}
