use sessile::Session;

#[derive(Session)]
enum Role {
    Guest,
    #[session(default)]
    Member { since: u64 },
}

fn main() {}
