use std::env::args;

use benches::contenders;
use benches::growth;
use benches::kind::Kind;
use benches::times::measure;

fn main() {
    if let Some(word) = args().nth(1) {
        return growth::run(&word);
    }
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
