//! A shop on one page: several structs on one session, and two tabs that lose nothing.
//!
//! Open it in two tabs. Press "add slowly" in the one and, while it loads, "add" in the other: the
//! cart holds both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::{Deserialize, Serialize};
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};

/// What is for sale. A form that names anything else is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Item {
    Tea,
    Coffee,
    Cocoa,
}

/// Each item and its price in cents.
const CATALOGUE: [(Item, u64); 3] = [(Item::Tea, 350), (Item::Coffee, 420), (Item::Cocoa, 295)];

#[derive(Session)]
struct Cart {
    /// A sum for each item: what two tabs add at once adds up.
    #[session(merge = merge::PerKey<merge::Sum>)]
    quantities: BTreeMap<Item, u64>,
}

#[derive(Session)]
struct Favourites {
    /// What two tabs mark at once is marked, what either of them unmarks is not.
    #[session(merge = merge::Union)]
    items: BTreeSet<Item>,
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// What a button of the page sends.
#[derive(Deserialize)]
struct Choice {
    item: Item,
}

/// Changes its visits, and takes copies of what it only reads.
async fn page(
    mut visits: Session<Visits>,
    Cart { quantities }: Cart,
    Favourites { items }: Favourites,
) -> Html<String> {
    visits.page_views += 1;
    let (mut rows, mut total) = (String::new(), 0);
    for (item, price) in CATALOGUE {
        let quantity = quantities.get(&item).copied().unwrap_or_default();
        rows += &row(item, price, quantity, items.contains(&item));
        total += price * quantity;
    }
    let (total, views) = (euros(total), visits.page_views);
    Html(format!(
        r#"<!doctype html>
<title>Cart</title>
<h1>Cart</h1>
<form method="post"><table>
{rows}</table></form>
<p>Total: {total}</p>
<p>Pages seen: {views}</p>
"#
    ))
}

/// All its words are the catalogue's, so there is nothing to escape.
fn row(item: Item, price: u64, quantity: u64, favourite: bool) -> String {
    let button = |action, label| {
        format!(r#"<button formaction="/{action}" name="item" value="{item:?}">{label}</button>"#)
    };
    let buttons = [
        button("favourite", if favourite { "★" } else { "☆" }),
        button("add", "add"),
        button("add-slowly", "add slowly"),
        button("remove", "remove"),
    ];
    let (price, buttons) = (euros(price), buttons.join(" "));
    format!("<tr><td>{item:?}</td><td>{price}</td><td>{quantity}</td><td>{buttons}</td></tr>\n")
}

fn euros(cents: u64) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}

async fn add(mut cart: Session<Cart>, Form(Choice { item }): Form<Choice>) -> Redirect {
    *cart.quantities.entry(item).or_default() += 1;
    Redirect::to("/")
}

/// Holds the cart for a while, as it was when it came: time for another tab to add to it.
async fn add_slowly(cart: Session<Cart>, choice: Form<Choice>) -> Redirect {
    tokio::time::sleep(Duration::from_secs(3)).await;
    add(cart, choice).await
}

async fn remove(mut cart: Session<Cart>, Form(Choice { item }): Form<Choice>) -> Redirect {
    cart.quantities.remove(&item);
    Redirect::to("/")
}

async fn favourite(
    mut favourites: Session<Favourites>,
    Form(Choice { item }): Form<Choice>,
) -> Redirect {
    if !favourites.items.remove(&item) {
        favourites.items.insert(item);
    }
    Redirect::to("/")
}

/// The application, for `main` and for tests.
pub fn app() -> Router {
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    Router::new()
        .route("/", get(page))
        .route("/add", post(add))
        .route("/add-slowly", post(add_slowly))
        .route("/remove", post(remove))
        .route("/favourite", post(favourite))
        .layer(sessions)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app()).await?)
}
