use sessile::Session;

#[derive(Session)]
struct Visits {
    user: u64,
    #[session(rename = "user")]
    owner: u64,
    #[session(alias = "owner_id", alias = "owner_id")]
    creator: u64,
    #[session(alias = "seen")]
    views: u64,
    seen: u64,
}

fn main() {}
