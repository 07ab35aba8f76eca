use sessile::Session;

#[derive(Session)]
#[session(merge = sessile::merge::Sum, skip, rename = "v")]
struct Visits {
    page_views: u64,
}

fn main() {}
