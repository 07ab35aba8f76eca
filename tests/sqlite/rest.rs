//! What lies in the files: no id and no token.

use std::fs;
use std::time::Duration;

use http::StatusCode;
use sessile::SessionStore;

use crate::file::File;
use crate::support::{Visitor, Wanted, size};
use crate::{app, now};

const COOKIE: &str = "__Host-sid";

/// Where any of it is, in the database, its log and the index of that.
fn found(file: &File, wanted: &Wanted) -> (usize, Vec<String>) {
    let (mut bytes, mut found) = (0, Vec::new());
    for suffix in ["", "-wal", "-shm"] {
        let content = fs::read(format!("{}{suffix}", file.path().display())).unwrap();
        bytes += content.len();
        let places = wanted.found_in(&content).into_iter();
        found.extend(places.map(|place| format!("app.db{suffix} at {place}")));
    }
    (bytes, found)
}

#[tokio::test]
async fn no_id_and_no_token_is_at_rest() {
    let sessions = size(1000, 10_000);
    let file = File::new();
    let store = file.open().await;
    let app = app(store.clone(), Duration::from_secs(10));
    let mut tokens = Vec::new();
    for turn in 0..sessions {
        let mut visitor = Visitor::new(&app);
        for path in ["/write", "/write", "/login/ann", "/write"] {
            assert_eq!(visitor.get(path).await.status, StatusCode::OK);
            tokens.extend(visitor.cookie(COOKIE).map(str::to_owned));
        }
        if turn % 4 == 0 {
            visitor.get("/logout").await;
        }
    }
    tokens.sort();
    tokens.dedup();
    // Each sign-in is another id.
    assert_eq!(tokens.len(), 2 * sessions);

    // What is there is found: the hash that a session is stored under.
    let planted = sessile::SessionId::from_bytes([7; 24]).key();
    store
        .insert(planted, crate::session(1, Duration::ZERO), now())
        .await
        .unwrap();
    let (_, hits) = found(&file, &Wanted::bytes([planted.as_bytes().to_vec()]));
    assert!(!hits.is_empty());

    let (bytes, hits) = found(&file, &Wanted::tokens(&tokens));
    eprintln!(
        "{} tokens, {bytes} bytes at rest, {} hits",
        tokens.len(),
        hits.len()
    );
    assert_eq!(hits, [""; 0]);
}
