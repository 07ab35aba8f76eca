//! What sessions cost over sockets: each contender is a process of its own, and wrk asks it.

mod actix;
pub mod load;
pub mod loopback;
pub mod running;
pub mod serve;
pub mod stored;
mod wrk;
