use sessile::{ExpressSecret, MemoryStore, Secret, SessionLayer};

fn main() {
    let express = ExpressSecret::new("keyboard cat").unwrap();
    let _ = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .previous_secrets([express.clone()]);
    let _ = SessionLayer::beside_express(MemoryStore::new(), express)
        .previous_secrets([Secret::generate()]);
}
