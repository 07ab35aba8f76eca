//! Counts allocations; whoever has this module pays for each one.

use allocation_counter::measure;
use benches::contenders::Contender;
use benches::drive::Visitor;
use benches::kind::Kind;
use tokio::runtime::{Builder, Runtime};

const REQUESTS: usize = 1000;

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// How many allocations a request makes.
pub(crate) fn allocations(contender: &Contender, kind: Kind) -> f64 {
    let runtime = runtime();
    let mut visitor = runtime.block_on(Visitor::of(contender));
    runtime.block_on(visitor.repeat(kind, REQUESTS));
    let counted = measure(|| runtime.block_on(visitor.repeat(kind, REQUESTS)));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = counted.count_total as f64 / REQUESTS as f64;
    each
}
