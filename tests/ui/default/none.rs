use sessile::Session;

#[derive(serde::Serialize, serde::Deserialize)]
struct Coupon;

struct Cache;

#[derive(Session)]
struct Cart {
    coupon: Coupon,
    #[session(skip)]
    cache: std::io::Result<Cache>,
}

fn main() {}
