use sessile::{Session, merge};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Smu)]
    page_views: u64,
    #[session(merge = String)]
    clicks: u64,
}

fn main() {}
