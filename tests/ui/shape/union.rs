use sessile::Session;

#[derive(Session)]
union Bits {
    whole: u32,
    parts: [u8; 4],
}

fn main() {}
