struct Cart;

async fn show(_cart: Cart) {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(show));
}
