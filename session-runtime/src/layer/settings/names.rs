//! Remembers which struct claims which name of a record, so that no two share one unawares.

use std::sync::OnceLock;

use crate::data::Shape;
use crate::dialect::Dialect;

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
    /// Lets a struct in if its names are free: no other struct has them, nor Express's session object.
    pub(super) fn claim(&self, shape: Shape, dialect: &Dialect) -> Result<(), NameTaken> {
        let reserved = |name| Some((name, dialect.reserved_by(name)?));
        if let Some((name, owner)) = shape.names().find_map(reserved) {
            return Err(NameTaken {
                name,
                first: owner,
                second: shape.type_name,
            });
        }
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
            if let Some(name) = shared(claim.shape, shape) {
                return Err(NameTaken {
                    name,
                    first: claim.shape.type_name,
                    second: shape.type_name,
                });
            }
            end = &claim.next;
        }
    }
}

/// The name that both structs store under, if there is one.
fn shared(first: Shape, second: Shape) -> Option<&'static str> {
    second
        .names()
        .find(|name| first.names().any(|theirs| theirs == *name))
}
