use sessile::Session;

#[derive(Session)]
#[session(name)]
struct Visits {
    #[session(default)]
    a: u64,
    #[session(rename =, merge)]
    b: u64,
}

fn main() {}
