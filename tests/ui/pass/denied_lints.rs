//! Nothing that is generated warns.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(unused, unused_qualifications, unused_lifetimes, unused_results, single_use_lifetimes)]
#![deny(trivial_casts, rust_2024_compatibility)]
#![forbid(unsafe_code, non_upper_case_globals, private_interfaces, private_bounds)]

use sessile::{Session, merge};

/// What a cart had once.
#[deprecated]
#[derive(Debug, Default, PartialEq)]
pub struct Coupon;

/// A cart.
#[derive(Debug, Session)]
#[session(rename_all = "camelCase")]
pub struct Cart<T> {
    /// How many there are.
    #[session(merge = merge::Sum, default = 1)]
    pub item_count: u64,
    /// What there is.
    pub items: Vec<T>,
    /// What nobody should use.
    #[deprecated]
    pub old: Option<u8>,
    /// What nobody should use either.
    #[allow(deprecated)]
    #[session(skip)]
    pub coupon: Coupon,
    hidden: Hidden,
}

#[derive(Debug, Default, PartialEq)]
struct Hidden(u8);

impl serde::Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Hidden {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self)
    }
}

fn main() {
    let show = async |cart: Session<Cart<String>>| {
        let _ = (&cart.items, cart.item_count, &cart.hidden);
    };
    let _ = show;
}
