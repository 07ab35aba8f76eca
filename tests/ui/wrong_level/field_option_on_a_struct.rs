use sessile::{Session, merge};

#[derive(Session)]
#[session(merge = merge::Sum, skip, rename = "v")]
struct Visits {
    page_views: u64,
}

fn main() {}
