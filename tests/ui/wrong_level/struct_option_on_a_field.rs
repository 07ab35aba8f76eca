use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(flatten, rename_all = "camelCase")]
    page_views: u64,
    #[session(name = "n", crate = sessile)]
    n: u64,
}

fn main() {}
