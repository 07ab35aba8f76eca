use sessile::Session;

#[derive(Session)]
#[session(flatten = true)]
struct Visits {
    #[session(skip(always))]
    page_views: u64,
}

fn main() {}
