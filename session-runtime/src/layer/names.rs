//! Remembers which struct claims which name of a record, so that no two share one unawares.

use std::sync::OnceLock;

use super::config::Config;
use crate::data::Shape;
use crate::express;
use crate::wire::Wire;

/// The structs that have been asked for through one layer, in the order of their first time.
///
/// It only grows, and only until each struct has been seen once: later requests follow a short list
/// without a lock.
#[derive(Default)]
pub(crate) struct Names(OnceLock<Box<Claim>>);

struct Claim {
    shape: Shape,
    next: Names,
}

/// Two structs store under one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{first}` and `{second}` both store under `{name}`: give one of them another name with `#[session(name = \"..\")]`"
)]
#[non_exhaustive]
pub struct NameTaken {
    /// The name that both claim.
    pub name: &'static str,
    /// The struct that was asked for first.
    pub first: &'static str,
    /// The struct that was refused.
    pub second: &'static str,
}

impl Names {
    /// Lets a struct in if no other one has one of its names.
    fn claim(&self, shape: Shape) -> Result<(), NameTaken> {
        let mut end = self;
        loop {
            let claim = end.0.get_or_init(|| {
                Box::new(Claim {
                    shape,
                    next: Self::default(),
                })
            });
            if claim.shape.id == shape.id {
                return Ok(());
            }
            claim.shape.tolerates(shape)?;
            end = &claim.next;
        }
    }
}

impl Config {
    /// Lets a struct in if its names are free: no other struct has them, nor Express's session object.
    pub(crate) fn claim(&self, shape: Shape) -> Result<(), NameTaken> {
        let reserved = match self.wire {
            Wire::Native => None,
            Wire::Express => shape.names().find(|name| express::is_reserved(name)),
        };
        match reserved {
            Some(name) => Err(NameTaken {
                name,
                first: "Express",
                second: shape.type_name,
            }),
            None => self.names.claim(shape),
        }
    }
}

impl Shape {
    fn tolerates(self, other: Self) -> Result<(), NameTaken> {
        let shared = other
            .names()
            .find(|name| self.names().any(|mine| mine == *name));
        let (first, second) = (self.type_name, other.type_name);
        shared.map_or(Ok(()), |name| {
            Err(NameTaken {
                name,
                first,
                second,
            })
        })
    }
}
