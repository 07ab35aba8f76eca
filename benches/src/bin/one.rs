//! One contender and one kind of request, so many times: for a profiler.

use std::env::args;

use benches::contenders;
use benches::drive::Visitor;
use benches::kind::Kind;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [name, kind, times] = &args().skip(1).collect::<Vec<_>>()[..] else {
        panic!("one <contender> <kind> <times>");
    };
    let contender = contenders::all().into_iter().find(|it| it.name == name);
    let kind = Kind::ALL.into_iter().find(|it| it.name() == kind);
    let (contender, kind) = contender.zip(kind).expect("a contender, a kind");
    let mut visitor = Visitor::of(&contender).await;
    visitor.repeat(kind, times.parse().expect("a number")).await;
}
