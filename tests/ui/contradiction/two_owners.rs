use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u64,
    #[session(required, owner)]
    company: u64,
}

fn main() {}
