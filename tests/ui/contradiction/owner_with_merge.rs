use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, owner, merge = sessile::merge::Max)]
    user: u64,
}

fn main() {}
