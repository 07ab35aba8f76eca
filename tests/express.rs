//! One live session for an Express app and an axum app: each step against the real Express, in the same Redis.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "express/alternation.rs"]
mod alternation;
#[path = "express/app.rs"]
mod app;
#[path = "express/both.rs"]
mod both;
#[path = "express/cluster.rs"]
mod cluster;
#[path = "express/differences.rs"]
mod differences;
#[path = "express/example.rs"]
mod example;
#[path = "express/guide.rs"]
mod guide;
#[path = "express/races.rs"]
mod races;
#[path = "express/raw.rs"]
mod raw;
#[path = "express/rotation.rs"]
mod rotation;
mod servers;
#[path = "express/signatures.rs"]
mod signatures;
mod support;
#[path = "express/traps.rs"]
mod traps;
#[path = "support/wire.rs"]
mod wire;
