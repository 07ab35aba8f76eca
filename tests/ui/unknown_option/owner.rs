use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, onwer)]
    user: u64,
}

fn main() {}
