use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(owner = true)]
    user: u64,
    #[session(privilege(admin))]
    role: u64,
}

fn main() {}
