mod vendor {
    pub mod sessions {
        pub use sessile::*;
    }
}

use vendor::sessions::{Session, SessionData};

#[derive(Session)]
#[session(crate = crate::vendor::sessions, name = "v")]
struct Visits {
    page_views: u64,
}

mod inner {
    #[derive(sessile::Session)]
    #[session(crate = super::vendor::sessions)]
    pub struct Other {
        pub page_views: u64,
    }
}

async fn show(visits: Session<Visits>, other: Session<inner::Other>) {
    let _ = (visits.page_views, other.page_views);
}

fn main() {
    let _ = show;
    assert_eq!(Visits::SLICE, sessile::Slice::Named("v"));
}
