use sessile::Session;

#[derive(Session)]
struct Profile<'a> {
    name: &'a str,
}

async fn show(profile: Session<Profile<'static>>) -> &'static str {
    profile.name
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(show));
}
