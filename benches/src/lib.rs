//! What sessions cost: in sessile, in its peers, and at the least.

pub mod ask;
pub mod contenders;
pub mod cookies;
pub mod drive;
pub mod herd;
pub mod kind;
pub mod markdown;
#[cfg(feature = "stores")]
pub mod servers;
pub mod spread;
pub mod threads;
pub mod times;
#[cfg(feature = "stores")]
pub mod wire;
