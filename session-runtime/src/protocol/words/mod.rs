//! The words that the machine and its driver exchange.

mod call;
mod event;
mod question;
mod refusal;

pub(crate) use self::call::{Call, Done, Step, Token};
pub(crate) use self::event::Event;
pub(crate) use self::question::{Draw, Fault, Question, Reply};
pub(crate) use self::refusal::Refusal;
