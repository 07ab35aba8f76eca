use sessile::Session;

#[derive(Session)]
struct Account {
    #[session(privilege, merge = sessile::merge::Max)]
    level: u64,
}

fn main() {}
