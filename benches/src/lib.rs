//! What sessions cost: in sessile, in its peers, and at the least.

pub mod contenders;
pub mod costs;
pub mod drive;
pub mod instructions;
pub mod kind;
pub mod report;
pub mod times;
