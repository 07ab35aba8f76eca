#![allow(dead_code)]

mod core {}
mod std {}
mod serde {}
mod alloc {}
mod sessile {}

use ::sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(merge = ::sessile::merge::Sum)]
    page_views: u64,
}

fn main() {}
