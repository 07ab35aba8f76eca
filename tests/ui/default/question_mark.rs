use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(default = "10".parse()?)]
    page_views: u64,
    #[session(skip, default = "10".parse()?)]
    cache: u64,
}

fn main() {}
