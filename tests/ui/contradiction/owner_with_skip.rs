use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(owner, skip)]
    user: u64,
}

fn main() {}
