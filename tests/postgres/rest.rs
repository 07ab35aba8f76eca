//! What the server keeps: no id and no token.

use std::fs;
use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use sessile::PostgresStore;

use crate::app;
use crate::servers::postgres::Postgres;
use crate::support::{Visitor, Wanted, size};

const COOKIE: &str = "__Host-sid";

/// All that lies in a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// Hashed at rest: the files of the server, its write-ahead log and its log of every statement.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_id_and_no_token_is_at_rest() {
    let sessions = size(1000, 10_000);
    let server = Postgres::start(&[
        "log_statement=all",
        "log_min_duration_statement=0",
        "log_parameter_max_length=-1",
        "log_parameter_max_length_on_error=-1",
    ]);
    let store = PostgresStore::from_url(&server.url()).unwrap();
    store.migrate().await.unwrap();
    let app = app(store, Duration::from_secs(10));
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
    server
        .connect()
        .await
        .batch_execute("CHECKPOINT")
        .await
        .unwrap();
    tokens.sort();
    tokens.dedup();
    // Each sign-in is another id.
    assert_eq!(tokens.len(), 2 * sessions);

    let wanted = Wanted::tokens(&tokens);
    let (mut bytes, mut found) = (0, Vec::new());
    for (name, content) in files(server.folder()) {
        bytes += content.len();
        let places = wanted.found_in(&content).into_iter();
        found.extend(places.map(|place| format!("{name} at {place}")));
    }
    let log = server.log();
    assert!(log.contains("INSERT INTO \"sessile\".\"session\"") && log.contains("parameters: $1"));
    eprintln!(
        "{} tokens, {bytes} bytes at rest, {} hits",
        tokens.len(),
        found.len()
    );
    assert_eq!(found, [""; 0]);
}
