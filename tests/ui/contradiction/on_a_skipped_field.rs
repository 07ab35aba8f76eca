use sessile::{Session, merge};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum, skip)]
    page_views: u64,
    #[session(skip, rename = "c", alias = "d")]
    cache: u64,
}

fn main() {}
