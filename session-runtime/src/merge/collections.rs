//! Rules for sets, lists, texts and maps: what each side added and what each side took away.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::{Replace, Rule};

/// Keeps what each side inserted into a set and drops what each side removed.
#[derive(Debug)]
pub struct Union;

/// Keeps what each side appended to a list or a text, theirs first. Where one side did more than
/// append, what the other appended follows; where both did, the last writer wins.
#[derive(Debug)]
pub struct Append;

/// Merges a map key by key, each value by the rule `R`. What one side removed is gone, unless the
/// last writer changed it.
#[derive(Debug)]
pub struct PerKey<R = Replace>(std::marker::PhantomData<R>);

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
        if mine.starts_with(base) {
            theirs.extend(mine.drain(base.len()..));
            return theirs;
        }
        if theirs.starts_with(base) {
            mine.extend(theirs.drain(base.len()..));
        }
        mine
    }

    fn merge_added(mine: Vec<T>, mut theirs: Vec<T>) -> Vec<T> {
        theirs.extend(mine);
        theirs
    }
}

impl<T: PartialEq> Rule<VecDeque<T>> for Append {
    fn merge(base: &VecDeque<T>, mut mine: VecDeque<T>, mut theirs: VecDeque<T>) -> VecDeque<T> {
        let starts_with_base = |list: &VecDeque<T>| {
            list.len() >= base.len() && list.iter().zip(base).all(|(a, b)| a == b)
        };
        if starts_with_base(&mine) {
            theirs.extend(mine.drain(base.len()..));
            return theirs;
        }
        if starts_with_base(&theirs) {
            mine.extend(theirs.drain(base.len()..));
        }
        mine
    }

    fn merge_added(mine: VecDeque<T>, mut theirs: VecDeque<T>) -> VecDeque<T> {
        theirs.extend(mine);
        theirs
    }
}

impl Rule<String> for Append {
    fn merge(base: &String, mine: String, theirs: String) -> String {
        if let Some(added) = mine.strip_prefix(base.as_str()) {
            return theirs + added;
        }
        match theirs.strip_prefix(base.as_str()) {
            Some(added) => mine + added,
            None => mine,
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
