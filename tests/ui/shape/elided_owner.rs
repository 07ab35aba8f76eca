use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(owner)]
    user: Option<&str>,
}

fn main() {}
