use sessile::Session;

#[derive(Session)]
#[session(ttl = 60)]
struct Visits {
    #[session(expires = 60)]
    page_views: u64,
}

fn main() {}
