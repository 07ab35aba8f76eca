#![allow(dead_code, non_camel_case_types)]

use sessile::{Session, SessionData};

#[derive(Session)]
#[session(rename_all = "SCREAMING-KEBAB-CASE")]
struct r#Move {
    r#type: u8,
    r#fn: u8,
    #[session(skip)]
    r#loop: u8,
}

#[derive(Session)]
struct r#match {
    r#type: u8,
}

fn main() {
    let keys: Vec<_> = r#Move::FIELDS.iter().map(|field| field.keys()[0]).collect();
    assert_eq!(keys, ["TYPE", "FN"]);
    assert_eq!(r#match::FIELDS[0].keys(), ["type"]);
    assert_eq!(r#Move::SLICE, sessile::Slice::Named("move"));
    assert_eq!(r#match::SLICE, sessile::Slice::Named("match"));
}
