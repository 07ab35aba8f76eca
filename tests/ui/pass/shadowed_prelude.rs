#![allow(dead_code, non_snake_case)]

use sessile::{Session, merge};

struct Option;
struct Result;
struct Vec;
struct String;
struct Box;

trait Default {
    fn default();
}

trait Send {}
trait Sync {}

fn Some() {}
fn None() {}
fn Ok() {}
fn Err() {}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
    #[session(default = 10, alias = "limit")]
    most: u64,
    #[session(skip)]
    seen: bool,
}

fn main() {}
