use sessile::{Owned, Session};

#[derive(Session)]
struct Account<'a> {
    #[session(owner)]
    user: &'a str,
}

#[derive(Session)]
struct Tenant {
    #[session(owner)]
    name: &'static str,
}

fn revoke<T: Owned>(_owner: &T::Owner) {}

fn main() {
    revoke::<Account<'static>>(&"ada");
    revoke::<Tenant>(&"acme");
}
