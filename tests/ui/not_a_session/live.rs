use sessile::Session;

struct Cart;

async fn show(cart: Session<Cart>) {}

fn main() {}
