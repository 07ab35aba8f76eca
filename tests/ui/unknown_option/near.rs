use sessile::Session;

#[derive(Session)]
#[session(nmae = "v")]
struct Visits {
    #[session(defualt = 10)]
    page_views: u64,
}

fn main() {}
