use std::time::Duration;

use sessile::{ExpressSecret, MemoryStore, SessionLayer, Timeouts, Transport};

fn main() {
    let builder = || {
        let secret = ExpressSecret::new("keyboard cat").unwrap();
        SessionLayer::beside_express(MemoryStore::new(), secret)
    };
    let _ = builder().absolute_timeout(Duration::from_secs(60));
    let _ = builder().timeouts(Timeouts::NIST_AAL2);
    let _ = builder().max_sessions(2);
    let _ = builder().transport(Transport::Cookie);
}
