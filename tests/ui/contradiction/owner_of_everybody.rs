use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(owner)]
    user: String,
}

fn main() {}
