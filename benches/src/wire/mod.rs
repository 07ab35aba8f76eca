//! Measures sessions over sockets: each contender is a process of its own, and wrk asks it.

mod actix;
mod apps;
pub mod load;
pub mod loopback;
mod part;
pub mod running;
pub mod serve;
mod served;
pub mod stored;
mod tower_sessions;
mod wrk;
