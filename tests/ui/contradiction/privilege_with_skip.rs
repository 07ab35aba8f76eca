use sessile::Session;

#[derive(Session)]
struct Role {
    #[session(privilege, skip)]
    admin: bool,
}

fn main() {}
