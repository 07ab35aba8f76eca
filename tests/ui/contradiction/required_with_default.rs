use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, default = 1)]
    user: u64,
}

fn main() {}
