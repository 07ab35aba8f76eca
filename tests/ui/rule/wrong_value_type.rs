use std::collections::BTreeMap;

use sessile::{Session, merge};

#[derive(Session)]
struct Profile {
    #[session(merge = merge::PerKey<merge::Sum>)]
    names: BTreeMap<u32, String>,
}

fn main() {}
