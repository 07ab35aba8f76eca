use sessile::Session;

#[derive(Session)]
struct Visits(u64);

fn main() {}
