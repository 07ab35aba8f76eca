use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(rename "views", alias = "v" alias = "w", serde::skip, "x", skip)]
    page_views: u64,
}

fn main() {}
