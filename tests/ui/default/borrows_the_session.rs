use sessile::Session;

#[derive(Session)]
struct Visits {
    first: u64,
    #[session(default = self.first)]
    last: u64,
}

fn main() {}
