use std::env::args;

use benches::kind::Kind;
use benches::times::measure;
#[cfg(feature = "stores")]
use benches::wire::{loopback, serve::serve, stored};
use benches::{contenders, herd, threads};

fn main() {
    let words: Vec<_> = args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => times(),
        ["threads"] => println!("{}", threads::section()),
        ["herd"] => println!("{}", herd::section()),
        #[cfg(feature = "stores")]
        ["herd-redis"] => println!("{}", stored::herd::section()),
        #[cfg(feature = "stores")]
        ["loopback"] => println!("{}", loopback::section()),
        #[cfg(feature = "stores")]
        ["redis"] => println!("{}", stored::redis_section()),
        #[cfg(feature = "stores")]
        ["postgres"] => println!("{}", stored::postgres_section()),
        #[cfg(feature = "stores")]
        ["serve", part, name, store] => serve(part, name, store),
        _ => panic!("not a part of the report: {words:?}"),
    }
}

fn times() {
    let contenders = contenders::all();
    for kind in Kind::ALL {
        let times = measure(&contenders, kind, 21, 4000);
        println!("{}", kind.name());
        for (contender, time) in contenders.iter().zip(&times) {
            println!(
                "  {:30} {:8.0} ns  {:5.2}  ({:.0} to {:.0})",
                contender.name,
                time.median,
                time.median / times[0].median,
                time.tenth,
                time.ninth_tenth
            );
        }
    }
}
