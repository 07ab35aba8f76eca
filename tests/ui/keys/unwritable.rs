use sessile::Session;

#[derive(Session)]
#[session(name = "")]
struct Visits {
    #[session(rename = "a\"b", alias = "a\\b", alias = "a\nb")]
    a: u64,
    #[session(alias = "")]
    b: u64,
}

fn main() {}
