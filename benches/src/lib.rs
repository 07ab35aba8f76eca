//! What sessions cost: in sessile, in its peers, and at the least.

pub mod contenders;
pub mod drive;
pub mod growth;
pub mod kind;
pub mod times;
