use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(default = "ten")]
    page_views: u64,
    #[session(skip, default = None)]
    cache: u64,
}

fn main() {}
