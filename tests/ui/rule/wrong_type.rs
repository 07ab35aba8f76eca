use sessile::{Session, merge};

#[derive(Session)]
struct Profile {
    #[session(merge = merge::Sum)]
    name: String,
    #[session(merge = merge::Max)]
    height: f64,
    #[session(merge = merge::Union)]
    tags: Vec<String>,
}

fn main() {}
