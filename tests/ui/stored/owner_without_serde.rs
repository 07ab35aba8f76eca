use sessile::{Owned, Session};

#[derive(PartialEq)]
struct UserId;

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: UserId,
}

fn revoke<T: Owned>(_owner: &T::Owner) {}

fn main() {
    revoke::<Account>(&UserId);
}
