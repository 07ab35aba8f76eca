use sessile::Session;

#[derive(Session)]
struct Visits {
    #[session(defualt = 10)]
    page_views: u64,
}

async fn live(mut visits: Session<Visits>) {
    visits.page_views += 1;
}

async fn copy(Visits { page_views }: Visits, again: Option<Visits>) -> String {
    format!("{page_views} {}", again.is_some())
}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/live", axum::routing::get(live))
        .route("/copy", axum::routing::get(copy));
}
