use std::cell::Cell;

use sessile::Session;

#[derive(Session)]
struct Visits {
    page_views: Cell<u64>,
}

fn main() {}
