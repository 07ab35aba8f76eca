//! The life of a session in one request, as a value: what to ask of the store, what a reply means, what the
//! response has to say. Nothing here waits, locks, reads a clock, or knows a store or a header.

mod acts;
#[cfg(test)]
mod explorer;
mod machine;
mod outcome;
mod rules;
mod state;
mod words;

pub(crate) use self::acts::plan::Inputs;
pub(crate) use self::machine::Machine;
pub(crate) use self::rules::Rules;
pub use self::rules::{AtMaxSessions, Rolling};
pub(crate) use self::state::{
    Idle, Lent, Phase, Place, Reader, Savepoint, Session, Standing, Ticket, Wanted,
};
pub(crate) use self::words::{
    Call, Done, Draw, Event, Fault, Question, Refusal, Reply, Step, Token,
};
