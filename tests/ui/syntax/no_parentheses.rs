use sessile::Session;

#[derive(Session)]
#[session]
struct Visits {
    #[session = "views"]
    page_views: u64,
}

fn main() {}
