use sessile::{Owned, Session};

#[derive(Session)]
struct Account {
    #[session(required, privilege)]
    user: u64,
}

fn revoke<T: Owned>() {}

fn main() {
    revoke::<Account>();
}
