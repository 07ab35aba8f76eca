//! Rules that join two changes of one field; knows values, neither records nor encodings.
//!
//! A rule sees three values: what both sides began with, what this request made of it, and what
//! another request has stored meanwhile. It returns what is stored. Every built-in rule keeps two
//! laws: a side that changed nothing has no say (`merge(b, b, t) == t`), and nobody else's change
//! changes nothing (`merge(b, m, b) == m`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

/// Joins two concurrent changes of a value of type `T`.
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

/// Keeps what each side inserted into a set and drops what each side removed.
#[derive(Debug)]
pub struct Union;

/// Keeps what each side appended to a list or a text, theirs first. A side that did more than
/// append wins as under [`Replace`].
#[derive(Debug)]
pub struct Append;

/// Merges a map key by key, each value by the rule `R`. What one side removed is gone, unless the
/// last writer changed it.
#[derive(Debug)]
pub struct PerKey<R = Replace>(std::marker::PhantomData<R>);

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
        if mine == *base {
            theirs
        } else if theirs == *base {
            mine
        } else {
            mine.max(theirs)
        }
    }

    fn merge_added(mine: T, theirs: T) -> T {
        mine.max(theirs)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Ord> Rule<T> for Min {
    fn merge(base: &T, mine: T, theirs: T) -> T {
        if mine == *base {
            theirs
        } else if theirs == *base {
            mine
        } else {
            mine.min(theirs)
        }
    }

    fn merge_added(mine: T, theirs: T) -> T {
        mine.min(theirs)
    }
}

impl<T: Eq + Hash, S: BuildHasher> Rule<HashSet<T, S>> for Union {
    fn merge(
        base: &HashSet<T, S>,
        mine: HashSet<T, S>,
        mut theirs: HashSet<T, S>,
    ) -> HashSet<T, S> {
        theirs.retain(|item| mine.contains(item) || !base.contains(item));
        theirs.extend(mine.into_iter().filter(|item| !base.contains(item)));
        theirs
    }

    fn merge_added(mine: HashSet<T, S>, mut theirs: HashSet<T, S>) -> HashSet<T, S> {
        theirs.extend(mine);
        theirs
    }
}

impl<T: Ord> Rule<BTreeSet<T>> for Union {
    fn merge(base: &BTreeSet<T>, mine: BTreeSet<T>, mut theirs: BTreeSet<T>) -> BTreeSet<T> {
        theirs.retain(|item| mine.contains(item) || !base.contains(item));
        theirs.extend(mine.into_iter().filter(|item| !base.contains(item)));
        theirs
    }

    fn merge_added(mine: BTreeSet<T>, mut theirs: BTreeSet<T>) -> BTreeSet<T> {
        theirs.extend(mine);
        theirs
    }
}

impl<T: PartialEq> Rule<Vec<T>> for Append {
    fn merge(base: &Vec<T>, mut mine: Vec<T>, mut theirs: Vec<T>) -> Vec<T> {
        if mine == *base {
            return theirs;
        }
        if !mine.starts_with(base) || !theirs.starts_with(base) {
            return mine;
        }
        theirs.extend(mine.drain(base.len()..));
        theirs
    }

    fn merge_added(mine: Vec<T>, mut theirs: Vec<T>) -> Vec<T> {
        theirs.extend(mine);
        theirs
    }
}

impl<T: PartialEq> Rule<VecDeque<T>> for Append {
    fn merge(base: &VecDeque<T>, mine: VecDeque<T>, theirs: VecDeque<T>) -> VecDeque<T> {
        let base: Vec<&T> = base.iter().collect();
        let starts_with_base = |list: &VecDeque<T>| {
            list.len() >= base.len() && list.iter().zip(&base).all(|(a, b)| a == *b)
        };
        if mine.len() == base.len() && starts_with_base(&mine) {
            return theirs;
        }
        if !starts_with_base(&mine) || !starts_with_base(&theirs) {
            return mine;
        }
        let mut joined = theirs;
        joined.extend(mine.into_iter().skip(base.len()));
        joined
    }

    fn merge_added(mine: VecDeque<T>, mut theirs: VecDeque<T>) -> VecDeque<T> {
        theirs.extend(mine);
        theirs
    }
}

impl Rule<String> for Append {
    fn merge(base: &String, mine: String, theirs: String) -> String {
        if mine == *base {
            return theirs;
        }
        match mine.strip_prefix(base.as_str()) {
            Some(added) if theirs.starts_with(base.as_str()) => theirs + added,
            _ => mine,
        }
    }

    fn merge_added(mine: String, theirs: String) -> String {
        theirs + &mine
    }
}

impl<K, V, R, S> Rule<HashMap<K, V, S>> for PerKey<R>
where
    K: Eq + Hash,
    V: PartialEq,
    R: Rule<V>,
    S: BuildHasher,
{
    fn merge(
        base: &HashMap<K, V, S>,
        mine: HashMap<K, V, S>,
        mut theirs: HashMap<K, V, S>,
    ) -> HashMap<K, V, S> {
        theirs.retain(|key, _| mine.contains_key(key) || !base.contains_key(key));
        for (key, mine) in mine {
            let merged = merge_entry::<V, R>(base.get(&key), mine, theirs.remove(&key));
            theirs.extend(merged.map(|value| (key, value)));
        }
        theirs
    }

    fn merge_added(mine: HashMap<K, V, S>, mut theirs: HashMap<K, V, S>) -> HashMap<K, V, S> {
        for (key, mine) in mine {
            let merged = merge_entry::<V, R>(None, mine, theirs.remove(&key));
            theirs.extend(merged.map(|value| (key, value)));
        }
        theirs
    }
}

impl<K, V, R> Rule<BTreeMap<K, V>> for PerKey<R>
where
    K: Ord,
    V: PartialEq,
    R: Rule<V>,
{
    fn merge(
        base: &BTreeMap<K, V>,
        mine: BTreeMap<K, V>,
        mut theirs: BTreeMap<K, V>,
    ) -> BTreeMap<K, V> {
        theirs.retain(|key, _| mine.contains_key(key) || !base.contains_key(key));
        for (key, mine) in mine {
            let merged = merge_entry::<V, R>(base.get(&key), mine, theirs.remove(&key));
            theirs.extend(merged.map(|value| (key, value)));
        }
        theirs
    }

    fn merge_added(mine: BTreeMap<K, V>, mut theirs: BTreeMap<K, V>) -> BTreeMap<K, V> {
        for (key, mine) in mine {
            let merged = merge_entry::<V, R>(None, mine, theirs.remove(&key));
            theirs.extend(merged.map(|value| (key, value)));
        }
        theirs
    }
}

/// One key that this side has: `None` where the other side removed it and this one left it alone.
fn merge_entry<V: PartialEq, R: Rule<V>>(
    base: Option<&V>,
    mine: V,
    theirs: Option<V>,
) -> Option<V> {
    match (base, theirs) {
        (Some(base), Some(theirs)) if mine == *base => Some(theirs),
        (Some(base), Some(theirs)) => Some(R::merge(base, mine, theirs)),
        (None, Some(theirs)) => Some(R::merge_added(mine, theirs)),
        (Some(base), None) if mine == *base => None,
        (_, None) => Some(mine),
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
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    /// The laws of every built-in rule, on any three values.
    fn obeys_the_laws<R: Rule<T>, T: Clone + PartialEq + Debug>(b: &T, m: &T, t: &T) {
        assert_eq!(
            R::merge(b, b.clone(), t.clone()),
            *t,
            "a side that changed nothing has no say"
        );
        assert_eq!(
            R::merge(b, m.clone(), b.clone()),
            *m,
            "nobody else's change changes nothing"
        );
    }

    /// For rules where the order of the two sides does not matter.
    fn commutes<R: Rule<T>, T: Clone + PartialEq + Debug>(b: &T, m: &T, t: &T) {
        let one = R::merge(b, m.clone(), t.clone());
        let other = R::merge(b, t.clone(), m.clone());
        assert_eq!(one, other, "the order of the two sides does not matter");
    }

    type Map = BTreeMap<u8, i64>;

    proptest! {
        #[test]
        fn rules_for_numbers_keep_the_laws(b: i64, m: i64, t: i64) {
            obeys_the_laws::<Max, _>(&b, &m, &t);
            obeys_the_laws::<Min, _>(&b, &m, &t);
            obeys_the_laws::<Sum, _>(&b, &m, &t);
            commutes::<Max, _>(&b, &m, &t);
            commutes::<Min, _>(&b, &m, &t);
        }

        #[test]
        fn sums_within_the_bounds_commute(b in -1000i64..1000, m in -1000i64..1000, t in -1000i64..1000) {
            commutes::<Sum, _>(&b, &m, &t);
            prop_assert_eq!(Sum::merge(&b, m, t), m + t - b);
        }

        #[test]
        fn sets_keep_the_laws(b: BTreeSet<u8>, m: BTreeSet<u8>, t: BTreeSet<u8>) {
            obeys_the_laws::<Union, _>(&b, &m, &t);
            commutes::<Union, _>(&b, &m, &t);
            let hashed = |set: &BTreeSet<u8>| set.iter().copied().collect::<HashSet<u8>>();
            let merged = Union::merge(&hashed(&b), hashed(&m), hashed(&t));
            prop_assert_eq!(merged, hashed(&Union::merge(&b, m, t)));
        }

        #[test]
        fn lists_keep_the_laws(b: Vec<u8>, m: Vec<u8>, t: Vec<u8>) {
            let whole = |end: &[u8]| [b.clone(), end.to_vec()].concat();
            obeys_the_laws::<Append, _>(&b, &whole(&m), &whole(&t));
            let merged = Append::merge(&b, whole(&m), whole(&t));
            prop_assert_eq!(&merged, &[b.clone(), t.clone(), m.clone()].concat());
            let deque = |list: &[u8]| list.iter().copied().collect::<VecDeque<u8>>();
            let merged_deque = Append::merge(&deque(&b), deque(&whole(&m)), deque(&whole(&t)));
            prop_assert_eq!(merged_deque, deque(&merged));
        }

        #[test]
        fn texts_keep_the_laws(b: String, m: String, t: String) {
            let whole = |end: &str| b.clone() + end;
            obeys_the_laws::<Append, _>(&b, &whole(&m), &whole(&t));
            prop_assert_eq!(Append::merge(&b, whole(&m), whole(&t)), b.clone() + &t + &m);
        }

        #[test]
        fn maps_keep_the_laws(b: Map, m: Map, t: Map) {
            obeys_the_laws::<PerKey, _>(&b, &m, &t);
            obeys_the_laws::<PerKey<Sum>, _>(&b, &m, &t);
            let hashed = |map: &Map| map.clone().into_iter().collect::<HashMap<u8, i64>>();
            let merged = PerKey::<Sum>::merge(&hashed(&b), hashed(&m), hashed(&t));
            prop_assert_eq!(merged, hashed(&PerKey::<Sum>::merge(&b, m, t)));
        }
    }

    #[test]
    fn a_sum_stops_at_the_bounds() {
        assert_eq!(Sum::merge(&0u8, 200, 100), 255);
        assert_eq!(Sum::merge(&100u8, 0, 50), 0);
        assert_eq!(Sum::merge(&0i8, 100, 100), 127);
        assert_eq!(Sum::merge(&i64::MAX, i64::MIN, 0), i64::MIN);
    }

    #[test]
    fn a_key_that_both_sides_added_is_summed() {
        let map = |n| Map::from([(1, n)]);
        assert_eq!(PerKey::<Sum>::merge(&Map::new(), map(2), map(3)), map(5));
        assert_eq!(
            PerKey::<Replace>::merge(&Map::new(), map(2), map(3)),
            map(2)
        );
    }

    #[test]
    fn a_removed_key_stays_removed_unless_the_last_writer_changed_it() {
        let map = |n| Map::from([(1, n)]);
        assert_eq!(
            PerKey::<Sum>::merge(&map(1), Map::new(), map(7)),
            Map::new()
        );
        assert_eq!(
            PerKey::<Sum>::merge(&map(1), map(1), Map::new()),
            Map::new()
        );
        assert_eq!(PerKey::<Sum>::merge(&map(1), map(4), Map::new()), map(4));
    }

    #[test]
    fn a_cleared_list_wins_over_an_append() {
        assert_eq!(
            Append::merge(&vec![1], vec![], vec![1, 2]),
            Vec::<i32>::new()
        );
    }
}
