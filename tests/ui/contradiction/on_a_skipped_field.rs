use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(merge = sessile::merge::Sum, skip)]
    page_views: u64,
    #[session(skip, rename = "c", alias = "d")]
    cache: u64,
    #[session(required, privilege, skip)]
    user: u64,
}

fn main() {}
