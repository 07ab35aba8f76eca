use sessile::Session;

#[derive(Session)]
#[session(nmae = "cart", rename_all = "camel")]
struct Cart<'a> {
    #[session(merge = sessile::merge::Sum, skip)]
    cache: u64,
    #[session(alias = "items")]
    old: u64,
    #[session(defualt = 1, rename = 2)]
    items: &'a str,
}

fn main() {}
