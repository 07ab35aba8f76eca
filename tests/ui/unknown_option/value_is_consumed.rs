use sessile::{Session, merge};

#[derive(Session)]
struct Visits {
    #[session(merg = merge::PerKey<merge::Sum, u8>, skipp, alais("views"), defautl = [1, 2][0])]
    page_views: u64,
}

fn main() {}
