//! What the index knows of owners, and their marks.

use super::*;

#[test]
fn the_index_forgets_an_owner_of_whom_nothing_is_left() {
    let store = MemoryStore::new();
    let (ann, bob) = (OwnerKey::of("account", b"1"), OwnerKey::of("account", b"2"));
    let held = |owner| now(store.owned_by(owner, at(0))).unwrap().len();
    for number in 0..3 {
        let signed_in = owned(session(number, "", at(10 + number)), ann, 0);
        now(store.insert(key(number), signed_in, at(0))).unwrap();
    }
    assert_eq!(held(ann), 3);
    let bobs = owned(session(7, "", at(10)), bob, 0);
    now(store.replace(key(0), revision(0), bobs, at(0))).unwrap();
    assert_eq!((held(ann), held(bob)), (2, 1));
    now(store.rotate(key(1), revision(1), key(9), session(9, "", END), at(0))).unwrap();
    now(store.mark(bob, at(0), at(12), None, at(0))).unwrap();
    assert_eq!(store.index.len(), 2);
    assert_eq!(sweep(&store, 11, 100), 1);
    assert_eq!(store.index.len(), 2, "ann has a session, bob a mark");
    assert_eq!(sweep(&store, 12, 100), 1);
    assert_eq!(store.index.len(), 0);
    expect_counted(store);
}

/// Lists the one session of an owner while another thread changes it.
fn expect_listed(change: impl Fn(&MemoryStore, OwnerKey, u64) + Sync) {
    const CHANGES: u64 = 20_000;

    let (store, ann) = (MemoryStore::new(), OwnerKey::of("account", b"1"));
    let first = owned(session(0, "", END), ann, 0);
    now(store.insert(key(0), first, at(0))).unwrap();
    thread::scope(|scope| {
        let changes = scope.spawn(|| (0..CHANGES).for_each(|number| change(&store, ann, number)));
        while !changes.is_finished() {
            assert_eq!(now(store.owned_by(ann, at(0))).unwrap().len(), 1);
        }
    });
}

#[test]
fn a_session_is_listed_while_its_owner_signs_in_anew() {
    expect_listed(|store, ann, number| {
        let new = owned(session(number + 1, "", END), ann, number + 1);
        let swap = now(store.replace(key(0), revision(number), new, at(0)));
        assert_eq!(swap.unwrap(), Swap::Done);
    });
}

#[test]
fn a_session_is_listed_once_while_it_is_rotated() {
    expect_listed(|store, ann, number| {
        let new = owned(session(number + 1, "", END), ann, 0);
        let (from, to) = (key(number), key(number + 1));
        let swap = now(store.rotate(from, revision(number), to, new, at(0)));
        assert_eq!(swap.unwrap(), Swap::Done);
    });
}

#[test]
fn who_is_revoked_sets_no_mark() {
    let store = MemoryStore::new();
    let ann = OwnerKey::of("account", b"1");
    let mark = |time, since: Option<u64>, clock| {
        now(store.mark(ann, at(time), at(100), since.map(at), at(clock))).unwrap()
    };
    assert_eq!(mark(5, Some(3), 5), Some(at(5)));
    assert_eq!(mark(9, Some(5), 9), None, "revoked at that very instant");
    assert_eq!(mark(9, Some(4), 9), None);
    assert_eq!(now(store.marked(ann, at(9))).unwrap(), Some(at(5)));
    assert_eq!(mark(9, Some(6), 9), Some(at(9)));
    assert_eq!(mark(9, None, 9), Some(at(10)));
    assert_eq!(
        mark(100, Some(0), 100),
        Some(at(100)),
        "a mark that is past"
    );
}
