//! Tests the rules that a session keeps: which cookie counts, when an end takes effect, which
//! write wins, and what a request stores that is cancelled, refused or served by two layers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "core/after_response.rs"]
mod after_response;
#[path = "core/bad_input.rs"]
mod bad_input;
#[path = "core/candidates.rs"]
mod candidates;
#[path = "core/drained.rs"]
mod drained;
#[path = "core/dropped.rs"]
mod dropped;
#[path = "core/former.rs"]
mod former;
#[path = "core/jar.rs"]
mod jar;
#[path = "core/nested.rs"]
mod nested;
#[path = "core/one_name.rs"]
mod one_name;
#[path = "core/one_value.rs"]
mod one_value;
#[path = "core/outer_failure.rs"]
mod outer_failure;
#[path = "core/outlives.rs"]
mod outlives;
#[path = "core/refused.rs"]
mod refused;
#[path = "core/rotated.rs"]
mod rotated;
#[path = "core/routes.rs"]
mod routes;
#[path = "invariants/schedule.rs"]
#[allow(dead_code, reason = "these tests take what they need")]
mod schedule;
mod servers;
#[path = "core/sockets.rs"]
mod sockets;
mod support;
#[path = "core/taken_back.rs"]
mod taken_back;
#[path = "core/unwound.rs"]
mod unwound;
#[path = "support/wire.rs"]
mod wire;
#[path = "invariants/wrapped.rs"]
#[allow(dead_code, reason = "these tests take what they need")]
mod wrapped;
