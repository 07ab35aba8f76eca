use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, privilege, owner)]
    user: u64,
}

fn main() {}
