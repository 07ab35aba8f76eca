use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: UserId,
}

fn main() {}
