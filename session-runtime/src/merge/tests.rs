use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
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
fn what_one_side_appends_outlives_what_the_other_rewrites() {
    for (mine, theirs, merged) in [
        (vec![], vec![1, 2, 3], vec![3]),
        (vec![1, 2, 3], vec![], vec![3]),
        (vec![9], vec![1, 2, 3], vec![9, 3]),
        (vec![9], vec![8], vec![9]),
    ] {
        let deque = |list: &[i32]| list.iter().copied().collect::<VecDeque<i32>>();
        let text = |list: &[i32]| list.iter().map(i32::to_string).collect::<String>();
        let base = [1, 2];
        let as_deque = Append::merge(&deque(&base), deque(&mine), deque(&theirs));
        assert_eq!(as_deque, deque(&merged));
        let as_text = Append::merge(&text(&base), text(&mine), text(&theirs));
        assert_eq!(as_text, text(&merged));
        assert_eq!(Append::merge(&base.to_vec(), mine, theirs), merged);
    }
}

#[test]
fn two_appends_of_one_request_are_replayed_on_anothers() {
    let first = Append::merge(&vec![1], vec![1, 2], vec![1, 9]);
    assert_eq!(
        Append::merge(&vec![1, 2], vec![1, 2, 3], first),
        [1, 9, 2, 3]
    );
}
