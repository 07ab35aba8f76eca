use sessile::Session;

#[derive(Session)]
#[session(name = "a", name = "b")]
struct Visits {
    #[session(default = 1, skip)]
    #[session(default = 2)]
    page_views: u64,
}

fn main() {}
