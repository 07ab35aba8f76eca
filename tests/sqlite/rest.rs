//! What lies in the files: no id and no token.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use http::StatusCode;
use sessile::SessionStore;

use crate::file::File;
use crate::support::{Visitor, size};
use crate::{app, now};

const COOKIE: &str = "__Host-sid";

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

/// Where any of these forms is, in the database, its log and its index of the log.
fn found(file: &File, wanted: &[Vec<u8>]) -> (usize, Vec<String>) {
    // By their first eight bytes, since to look for each form by itself takes minutes.
    let mut by_head: HashMap<[u8; 8], Vec<&[u8]>> = HashMap::new();
    for form in wanted {
        by_head
            .entry(form[..8].try_into().unwrap())
            .or_default()
            .push(form);
    }
    let (mut bytes, mut found) = (0, Vec::new());
    for suffix in ["", "-wal", "-shm"] {
        let content = fs::read(format!("{}{suffix}", file.path().display())).unwrap();
        bytes += content.len();
        for (place, window) in content.windows(8).enumerate() {
            let window: &[u8; 8] = window.try_into().unwrap();
            let forms = by_head.get(window).into_iter().flatten();
            let here = forms.filter(|form| content[place..].starts_with(form));
            found.extend(here.map(|_| format!("app.db{suffix} at {place}")));
        }
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
    let (_, hits) = found(&file, &[planted.as_bytes().to_vec()]);
    assert!(!hits.is_empty());

    let forms: Vec<_> = tokens.iter().flat_map(|token| forms(token)).collect();
    let (bytes, hits) = found(&file, &forms);
    eprintln!(
        "{} tokens, {bytes} bytes at rest, {} hits",
        tokens.len(),
        hits.len()
    );
    assert_eq!(hits, [""; 0]);
}
