//! What sessions cost: in sessile, in its peers, and at the least.

pub mod ask;
pub mod client;
pub mod contenders;
pub mod cookies;
pub mod costs;
pub mod drive;
#[cfg(feature = "peers")]
pub mod growth;
pub mod herd;
pub mod instructions;
pub mod kind;
pub mod markdown;
pub mod programs;
pub mod report;
#[cfg(feature = "stores")]
pub mod servers;
pub mod spread;
pub mod threads;
pub mod times;
#[cfg(feature = "stores")]
pub mod wire;
