use sessile::Session;

#[derive(Session)]
#[session(rename_all = "camelcase")]
struct Near {
    page_views: u64,
}

#[derive(Session)]
#[session(rename_all = "title")]
struct Far {
    page_views: u64,
}

fn main() {}
