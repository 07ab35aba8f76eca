#![allow(dead_code)]

use sessile::Session;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Opaque {
    value: f32,
}

#[derive(Session)]
struct Visits {
    opaque: Opaque,
    several: Vec<Opaque>,
    #[session(skip, default = Box::new(|| 1))]
    not_stored: Box<dyn Fn() -> u8 + Send + Sync>,
}

async fn show(visits: Session<Visits>) {
    let _ = (visits.not_stored)();
}

fn main() {
    let _ = show;
}
