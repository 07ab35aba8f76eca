use sessile::Session;

#[derive(Session)]
struct Pair<'a, 'b, T: 'a> {
    #[session(skip)]
    left: Option<&'a T>,
    #[session(skip)]
    right: Option<&'b str>,
}

fn main() {}
