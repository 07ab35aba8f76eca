use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(merg = sessile::merge::PerKey<sessile::merge::Sum, u8>, skipp, alais("views"), defautl = [1, 2][0])]
    page_views: u64,
}

fn main() {}
