use sessile::Session;

#[derive(Session)]
struct Visits;

fn main() {}
