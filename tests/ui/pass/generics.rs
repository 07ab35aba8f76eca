use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use sessile::{Session, SessionData, merge};

#[derive(Session)]
struct Paged<S, T = u8, const N: usize = 4>
where
    T: Ord,
{
    items: Vec<T>,
    #[session(merge = merge::Max)]
    best: Option<T>,
    #[session(default = Self::WIDTH)]
    width: usize,
    #[session(default = [0; N])]
    page: [u8; N],
    #[session(skip)]
    state: PhantomData<S>,
}

impl<S, T: Ord, const N: usize> Paged<S, T, N> {
    const WIDTH: usize = N;
}

#[derive(Session)]
struct Counted<R: 'static, K: std::hash::Hash + Eq, V: PartialEq> {
    #[session(merge = merge::PerKey<R>)]
    counts: HashMap<K, V>,
    #[session(merge = merge::PerKey<merge::PerKey<merge::Sum>>)]
    nested: BTreeMap<u8, BTreeMap<u8, u64>>,
    #[session(skip)]
    rule: PhantomData<R>,
}

async fn show(
    paged: Session<Paged<String>>,
    copy: Paged<u8, u64, 2>,
    counted: Option<Session<Counted<merge::Sum, String, u64>>>,
) {
    let _ = (&paged.items, paged.best, paged.width, paged.page, paged.state);
    let _ = (copy.items, copy.best, copy.width, copy.page, copy.state);
    let _ = counted.map(|counted| (counted.counts.len(), counted.nested.len(), counted.rule));
}

fn extracts<T: axum::extract::FromRequestParts<String>>(_: impl Fn(T)) {}

fn main() {
    let _ = show;
    extracts(|_: Paged<u8, String>| ());
    extracts(|_: Option<Counted<merge::Max, u8, u8>>| ());
    assert_eq!(Paged::<u8>::FIELDS.len(), 4);
}
