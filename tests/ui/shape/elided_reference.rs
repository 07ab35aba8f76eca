use sessile::Session;

#[derive(Session)]
struct Profile {
    name: &str,
}

fn main() {}
