//! What a request takes when a record is larger: a text stands beside the counter that is used.

use axum::Router;
use axum::routing::get;
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};
use tokio::runtime::Builder;

use super::kinds::{Along, PATHS};
use super::other;
use super::plot::{Axis, Scale};
use super::rounds::{Lone, rounds};
use crate::spread::Spread;

const SIZES: [usize; 5] = [100, 1 << 10, 4 << 10, 16 << 10, 64 << 10];
const ROUNDS: usize = 21;
const REQUESTS: usize = 1000;

#[derive(Session)]
struct Document {
    #[session(merge = merge::Sum)]
    page_views: u64,
    text: String,
}

/// The counter of a text that is in another struct.
#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session)]
struct Text {
    text: String,
}

fn together(size: usize) -> Router {
    let fill = async move |mut page: Session<Document>| {
        page.page_views = 1;
        page.text = "x".repeat(size);
    };
    let write = async |mut page: Session<Document>| {
        page.page_views += 1;
        page.page_views.to_string()
    };
    Router::new()
        .route("/fill", get(fill))
        .route(
            "/text",
            get(async |page: Document| page.text.len().to_string()),
        )
        .route(
            "/read",
            get(async |page: Document| page.page_views.to_string()),
        )
        .route("/write", get(write))
        .layer(sessions(size))
}

fn apart(size: usize) -> Router {
    let fill = async move |mut visits: Session<Visits>, mut text: Session<Text>| {
        visits.page_views = 1;
        text.text = "x".repeat(size);
    };
    let write = async |mut visits: Session<Visits>| {
        visits.page_views += 1;
        visits.page_views.to_string()
    };
    Router::new()
        .route("/fill", get(fill))
        .route("/text", get(async |text: Text| text.text.len().to_string()))
        .route(
            "/read",
            get(async |visits: Visits| visits.page_views.to_string()),
        )
        .route("/write", get(write))
        .layer(sessions(size))
}

fn sessions(size: usize) -> SessionLayer {
    let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .max_record_bytes(2 * size.max(1 << 10))
        .build();
    sessions.expect("the defaults, but for the cap")
}

async fn measure() -> [Vec<Spread>; 2] {
    let mut visitors = Vec::new();
    for app in [together, apart] {
        for size in SIZES {
            let mut visitor = Lone::of(&app(size), REQUESTS).await;
            assert_eq!(
                visitor.number("/text").await,
                size as u64,
                "the text is stored"
            );
            visitors.push(visitor);
        }
    }
    if other::NAME.is_some() {
        for size in SIZES {
            visitors.push(Lone::of(&other::app(1, size), REQUESTS).await);
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for (path, times) in PATHS.into_iter().zip(&mut times) {
        for visitor in &mut visitors {
            visitor.path = path;
        }
        *times = rounds(ROUNDS, &mut visitors).await;
    }
    times
}

#[must_use]
pub fn section() -> String {
    let runtime = Builder::new_current_thread().enable_all().build();
    let times = runtime.expect("a runtime").block_on(measure());
    let seen = "A large text is decoded by every handler that takes its struct, and encoded by one that \
        changes the counter beside it, to see whether the text has changed too. In a struct of \
        its own it costs what it takes to copy the record. Whatever is large and seldom used \
        belongs there, or into no session at all.";
    let how = "A text of so many bytes beside a counter, in process, the whole request. sessile's \
        handler gets both, or where there are two structs the counter alone; tower-sessions' handler \
        asks for the counter. A write changes the counter.";
    let names: Vec<_> = [Some("sessile"), Some("sessile, two structs"), other::NAME]
        .into_iter()
        .flatten()
        .collect();
    Along {
        name: "size",
        title: "Size of a record",
        how,
        seen,
        x: Axis {
            name: "text in the record",
            scale: Scale::Log,
            label: bytes,
        },
        y: Scale::Log,
        values: &SIZES,
        names: &names,
    }
    .publish(&times)
}

fn bytes(size: f64) -> String {
    if size < 1024.0 {
        format!("{size} B")
    } else {
        format!("{} KiB", size / 1024.0)
    }
}
