//! What the server keeps: no id and no token.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use sessile::PostgresStore;

use crate::app;
use crate::servers::postgres::Postgres;
use crate::support::{Visitor, size};

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

/// An id as text, raw and in hex, and the tag in the same ways.
fn forms(token: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for part in token.split('.') {
        let raw = decode(part);
        let (hex, hex_of_text) = (hex(&raw), hex(part.as_bytes()));
        let standard = part.replace('-', "+").replace('_', "/");
        forms.extend([
            part.as_bytes().to_vec(),
            standard.into_bytes(),
            hex.to_uppercase().into_bytes(),
            hex.into_bytes(),
            hex_of_text.into_bytes(),
            raw,
        ]);
    }
    forms
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

fn decode(base64url: &str) -> Vec<u8> {
    let mut bits = (0u32, 0);
    let mut bytes = Vec::new();
    for character in base64url.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            .iter()
            .position(|known| *known == character)
            .unwrap();
        bits = (bits.0 << 6 | u32::try_from(digit).unwrap(), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push(u8::try_from(bits.0 >> bits.1 & 0xff).unwrap());
        }
    }
    bytes
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

    // By their first eight bytes, since to look for each form by itself takes minutes.
    let mut wanted: BTreeMap<[u8; 8], Vec<Vec<u8>>> = BTreeMap::new();
    for form in tokens.iter().flat_map(|token| forms(token)) {
        wanted
            .entry(form[..8].try_into().unwrap())
            .or_default()
            .push(form);
    }
    let wanted: std::collections::HashMap<_, _> = wanted.into_iter().collect();
    let (mut bytes, mut found) = (0, Vec::new());
    for (name, content) in files(server.folder()) {
        bytes += content.len();
        for (place, window) in content.windows(8).enumerate() {
            let window: &[u8; 8] = window.try_into().unwrap();
            let forms = wanted.get(window).into_iter().flatten();
            found.extend(
                forms
                    .filter(|form| content[place..].starts_with(form))
                    .map(|_| format!("{name} at {place}")),
            );
        }
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
