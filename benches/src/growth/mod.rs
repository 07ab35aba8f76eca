//! How costs grow: each module measures one curve, draws it, and answers with its part of the report.

pub mod bytes;
pub mod cookies;
pub mod fields;
pub mod heap;
pub mod kinds;
pub mod other;
pub mod page;
pub mod plot;
pub mod rounds;
pub mod sessions;
pub mod size;
pub mod sweep;
pub mod writers;

use crate::report::Part;

/// Each curve by the word that asks for it.
pub const CURVES: [Part; 7] = [
    ("sessions", sessions::section),
    ("fields", fields::section),
    ("size", size::section),
    ("writers", writers::section),
    ("sweep", sweep::section),
    ("bytes", bytes::section),
    ("cookies", cookies::section),
];
