use sessile::Session;

#[derive(Session)]
#[session(name = "visits", flatten)]
struct Visits {
    page_views: u64,
}

fn main() {}
