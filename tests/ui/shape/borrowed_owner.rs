use sessile::{Owned, Session};

#[derive(Session)]
struct Account<'a> {
    #[session(required, owner)]
    user: &'a str,
}

#[derive(Session)]
struct Tenant {
    #[session(required, owner)]
    name: &'static str,
}

fn revoke<T: Owned>(_owner: &T::Owner) {}

fn main() {
    revoke::<Account<'static>>(&"ada");
    revoke::<Tenant>(&"acme");
}
