use sessile::Session;

#[derive(Session)]
#[session(rename_all = camelCase, crate = "sessile", name = 5)]
struct Visits {
    #[session(rename = views, alias("v"), merge = "Sum")]
    a: u64,
    #[session(merge = |base, mine, theirs| mine, default = let)]
    b: u64,
}

fn main() {}
