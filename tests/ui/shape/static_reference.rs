use sessile::Session;

#[derive(Session)]
struct Profile {
    name: &'static str,
    nick: Option<&'static str>,
}

fn main() {}
