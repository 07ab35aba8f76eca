mod sentences;
mod wrong;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use self::sentences::SENTENCES;
use self::wrong::{Fault, Wrong};
use super::conformance;

#[test]
fn each_broken_rule_is_named() {
    const THREADS: usize = 4;

    let lanes = SENTENCES.chunks(SENTENCES.len().div_ceil(THREADS));
    thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(move || {
                for (fault, sentence) in lane {
                    expect(*fault, sentence);
                }
            });
        }
    });
}

fn expect(fault: Fault, sentence: &str) {
    let broken = catch_unwind(AssertUnwindSafe(|| check(fault)));
    let panic = broken.expect_err(&format!("{fault:?} passes the suite"));
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    assert!(
        said.contains(sentence),
        "{fault:?} must be called {sentence}, not {said}"
    );
}

#[test]
fn a_store_without_a_fault_passes() {
    check(Fault::None);
}

fn check(fault: Fault) {
    crate::trace::install();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(conformance(Wrong::new(fault)));
}
