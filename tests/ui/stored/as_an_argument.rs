use sessile::Session;

struct Coupon;

#[derive(Session)]
struct Page<T> {
    items: Vec<T>,
}

fn show(_page: &Session<Page<Coupon>>) {}

fn main() {}
