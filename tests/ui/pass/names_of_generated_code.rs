#![allow(non_snake_case)]

use sessile::{Session, merge};

trait Load {
    fn load(&self) {}
    fn encode(&self) {}
}

impl<T> Load for T {}

#[derive(Session)]
struct Visits {
    self_: u8,
    from: u8,
    into: u8,
    state: u8,
    parts: u8,
    #[session(skip)]
    slice: u8,
    fields: u8,
    load: u8,
    encode: u8,
    default: u8,
    #[session(merge = merge::Max)]
    keys: u8,
    __keys: u8,
    _keys: u8,
    __from: u8,
    __into: u8,
    a: u8,
    A: u8,
}

impl Visits {
    const SLICE: u8 = 0;

    fn load(&self) -> u8 {
        self.load
    }

    fn encode(&self) -> u8 {
        self.encode
    }
}

async fn show(visits: Session<Visits>) {
    let _ = (visits.load(), visits.encode(), Visits::SLICE);
    let Visits { self_, from, into, state, parts, slice, fields, default, keys, .. } = &*visits;
    let _ = (self_, from, into, state, parts, slice, fields, default, keys);
    let _ = (visits.__keys, visits._keys, visits.__from, visits.__into, visits.a, visits.A);
}

fn main() {
    let _ = show;
}
