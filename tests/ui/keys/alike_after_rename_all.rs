use sessile::Session;

#[derive(Session)]
#[session(rename_all = "camelCase")]
struct Visits {
    page_views: u64,
    page__views: u64,
    r#type: u64,
    #[session(rename = "type")]
    kind: u64,
}

fn main() {}
