use sessile::Owned;

struct Account;

fn revoke<T: Owned>() {}

fn main() {
    revoke::<Account>();
}
