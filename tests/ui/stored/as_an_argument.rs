use sessile::Session;

struct Coupon;

#[derive(Session)]
struct Page<T> {
    items: Vec<T>,
}

async fn show(page: Session<Page<Coupon>>) -> String {
    page.items.len().to_string()
}

fn main() {}
