use sessile::Session;

#[derive(Session)]
#[session(ttl = 60)]
struct Visits {
    #[session(required)]
    page_views: u64,
}

fn main() {}
