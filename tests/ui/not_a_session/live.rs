use sessile::Session;

struct Cart;

fn total(cart: &Session<Cart>) -> u64 {
    0
}

fn main() {}
