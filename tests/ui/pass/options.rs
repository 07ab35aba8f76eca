use sessile::{Session, SessionData, Slice};

#[derive(Session)]
#[session(flatten)]
#[session(rename_all = "camelCase",)]
struct ShoppingCart {
    #[session(alias = "count", rename = "n", alias = "size")]
    item_count: u64,
    #[session(default = std::collections::BTreeMap::<u8, u8>::new(), merge = sessile::merge::PerKey<sessile::merge::Sum>)]
    most_items: std::collections::BTreeMap<u8, u8>,
    #[session(default = if cfg!(test) { 1 } else { return 2 })]
    limit: u8,
    #[session(default = None)]
    bare: Option<u8>,
    #[session(skip, default = vec![1, 2])]
    cache: Vec<u8>,
}

#[derive(Session)]
struct HTTPCache {}

fn main() {
    let keys: Vec<_> = ShoppingCart::FIELDS.iter().map(|field| field.keys()).collect();
    assert_eq!(keys, [&["n", "count", "size"][..], &["mostItems"], &["limit"], &["bare"]]);
    assert_eq!(ShoppingCart::SLICE, Slice::Top);
    assert_eq!(HTTPCache::SLICE, Slice::Named("http_cache"));
    let show = async |cart: Session<ShoppingCart>| {
        let ShoppingCart { item_count, most_items, limit, bare, cache } = &*cart;
        format!("{item_count} {most_items:?} {limit} {bare:?} {cache:?}")
    };
    let _ = show;
}
