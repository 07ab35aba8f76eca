use sessile::{Owned, Session};

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u64,
    #[session(defualt = 10)]
    page_size: u64,
}

fn revoke<T: Owned>(_owner: &T::Owner) {}

fn main() {
    revoke::<Account>(&7);
}
