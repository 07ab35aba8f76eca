use sessile::Session;

#[derive(serde::Serialize, serde::Deserialize)]
struct UserId(u64);

#[derive(Session)]
pub struct Account {
    #[session(required, owner)]
    user: UserId,
}

fn main() {}
