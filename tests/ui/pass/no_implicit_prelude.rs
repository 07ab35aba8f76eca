#![no_implicit_prelude]

#[derive(::sessile::Session)]
struct Visits {
    #[session(merge = ::sessile::merge::Sum, default = 1)]
    page_views: u64,
    #[session(skip)]
    seen: bool,
}

async fn show(live: ::sessile::Session<Visits>, Visits { page_views, seen }: Visits) {
    let _ = (live.page_views, page_views, seen);
}

fn extracts<T: ::axum::extract::FromRequestParts<()>>() {}

fn main() {
    let _ = show;
    extracts::<Visits>();
    extracts::<::core::option::Option<Visits>>();
}
