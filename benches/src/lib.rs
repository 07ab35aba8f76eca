//! What sessions cost: in sessile, in its peers, and at the least.

pub mod contenders;
pub mod cookies;
pub mod drive;
pub mod kind;
pub mod times;
