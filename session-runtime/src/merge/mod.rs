//! Rules that join two changes of one field; knows values, neither records nor encodings.
//!
//! A rule sees three values: what both sides began with, what this request made of it, and what
//! another request has stored meanwhile. It returns what is stored. Every built-in rule keeps two
//! laws: a side that changed nothing has no say (`merge(b, b, t) == t`), and nobody else's change
//! changes nothing (`merge(b, m, b) == m`).

mod collections;

pub use self::collections::{Append, PerKey, Union};

/// Joins two concurrent changes of a value of type `T`.
///
/// A rule computes and nothing else: it must not ask the session that it works for.
///
/// ```
/// use session_runtime::merge::Rule;
///
/// /// The longer text wins.
/// struct Longest;
///
/// impl Rule<String> for Longest {
///     fn merge(_base: &String, mine: String, theirs: String) -> String {
///         if mine.len() >= theirs.len() { mine } else { theirs }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot merge a field of type `{T}`",
    label = "this rule has no meaning for `{T}`",
    note = "`Sum` is for numbers, `Max` and `Min` for what has an order, `Union` for sets, `Append` for lists and text, `PerKey` for maps",
    note = "a rule of your own implements `merge::Rule<{T}>`; without `merge` the last writer wins"
)]
pub trait Rule<T> {
    /// The value to store: `base` is what both began with, `theirs` is stored now.
    fn merge(base: &T, mine: T, theirs: T) -> T;

    /// The value to store where both sides began it apart, as a key that two requests added to one
    /// map. The last writer wins, unless the rule knows better.
    fn merge_added(mine: T, theirs: T) -> T {
        let _ = theirs;
        mine
    }
}

/// The last writer wins; the rule of a field that names none.
#[derive(Debug)]
pub struct Replace;

/// Adds what each side added: for counters. It stops at the type's bounds.
#[derive(Debug)]
pub struct Sum;

/// Keeps the greater value, unless only one side changed it.
#[derive(Debug)]
pub struct Max;

/// Keeps the smaller value, unless only one side changed it.
#[derive(Debug)]
pub struct Min;

impl<T> Rule<T> for Replace {
    fn merge(_base: &T, mine: T, _theirs: T) -> T {
        mine
    }
}

/// Numbers whose changes add up.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a number that can be summed")]
pub trait Number: Copy {
    /// `theirs + (mine - base)`, held within the type's bounds.
    #[must_use]
    fn add_change(base: Self, mine: Self, theirs: Self) -> Self;
    /// Nothing added yet.
    const ZERO: Self;
}

#[diagnostic::do_not_recommend]
impl<T: Number> Rule<T> for Sum {
    fn merge(base: &T, mine: T, theirs: T) -> T {
        T::add_change(*base, mine, theirs)
    }

    fn merge_added(mine: T, theirs: T) -> T {
        T::add_change(T::ZERO, mine, theirs)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Ord> Rule<T> for Max {
    fn merge(base: &T, mine: T, theirs: T) -> T {
        merge_changed(base, mine, theirs, Ord::max)
    }

    fn merge_added(mine: T, theirs: T) -> T {
        mine.max(theirs)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Ord> Rule<T> for Min {
    fn merge(base: &T, mine: T, theirs: T) -> T {
        merge_changed(base, mine, theirs, Ord::min)
    }

    fn merge_added(mine: T, theirs: T) -> T {
        mine.min(theirs)
    }
}

/// The value of the side that changed it; the one that `choose` returns if both did.
fn merge_changed<T: Eq>(base: &T, mine: T, theirs: T, choose: fn(T, T) -> T) -> T {
    if mine == *base {
        theirs
    } else if theirs == *base {
        mine
    } else {
        choose(mine, theirs)
    }
}

// One body for all types of a kind: the bounds differ, the sentence does not.
macro_rules! numbers {
    ($zero:expr; $add:ident, $sub:ident; $($number:ty)*) => {$(
        impl Number for $number {
            const ZERO: Self = $zero;

            fn add_change(base: Self, mine: Self, theirs: Self) -> Self {
                if mine >= base {
                    theirs.$add(mine.abs_diff(base))
                } else {
                    theirs.$sub(base.abs_diff(mine))
                }
            }
        }
    )*};
}

numbers!(0; saturating_add, saturating_sub; u8 u16 u32 u64 u128 usize);
numbers!(0; saturating_add_unsigned, saturating_sub_unsigned; i8 i16 i32 i64 i128 isize);
numbers!(std::time::Duration::ZERO; saturating_add, saturating_sub; std::time::Duration);

impl Number for f32 {
    const ZERO: Self = 0.0;

    fn add_change(base: Self, mine: Self, theirs: Self) -> Self {
        theirs + (mine - base)
    }
}

impl Number for f64 {
    const ZERO: Self = 0.0;

    fn add_change(base: Self, mine: Self, theirs: Self) -> Self {
        theirs + (mine - base)
    }
}

#[cfg(test)]
mod tests;
