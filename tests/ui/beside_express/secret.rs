use sessile::{ExpressSecret, MemoryStore, Secret, SessionLayer};

fn main() {
    let express = ExpressSecret::new("keyboard cat").unwrap();
    let _ = SessionLayer::new(MemoryStore::new(), express.clone());
    let _ = SessionLayer::builder(MemoryStore::new(), express);
    let _ = SessionLayer::beside_express(MemoryStore::new(), Secret::generate());
}
