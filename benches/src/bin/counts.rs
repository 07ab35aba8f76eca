//! What a request allocates: a program of its own, as counting makes every allocation slower.

use allocation_counter::{AllocationInfo, measure};
use benches::contenders;
use benches::contenders::Contender;
use benches::drive::Visitor;
use benches::kind::Kind;
use tokio::runtime::Builder;

const REQUESTS: usize = 1000;

fn main() {
    let contenders = contenders::own();
    for contender in &contenders {
        let counts: Vec<_> = Kind::ALL.iter().map(|kind| count(contender, *kind)).collect();
        println!("{:30} {counts:?}", contender.name);
    }
}

fn count(contender: &Contender, kind: Kind) -> f64 {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut visitor = runtime.block_on(Visitor::of(contender));
    runtime.block_on(visitor.repeat(kind, REQUESTS));
    let AllocationInfo { count_total, .. } =
        measure(|| runtime.block_on(visitor.repeat(kind, REQUESTS)));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = count_total as f64 / REQUESTS as f64;
    each
}
