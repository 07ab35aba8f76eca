use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::super::conformance::conformance;
use super::shards::MOST_SHARDS;
use super::*;
use crate::id::{ID_BYTES, SessionId};
use crate::record::{OwnerKey, Record, Slice};

mod owners;

const END: Timestamp = at(5000);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn key(number: u64) -> StoreKey {
    let mut bytes = [0; ID_BYTES];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    SessionId::from_bytes(bytes).key()
}

fn revision(number: u64) -> Revision {
    Revision::from_u64(number)
}

fn session(revision: u64, text: &str, expires: Timestamp) -> Stored {
    let json = format!(r#"{{"v":1,"rev":{revision},"created":0,"data":{{"a":{{"b":"{text}"}}}}}}"#);
    Stored {
        record: Record::from_json(json.as_bytes()).unwrap(),
        expires,
    }
}

fn owned(stored: Stored, owner: OwnerKey, since: u64) -> Stored {
    let Stored {
        mut record,
        expires,
    } = stored;
    record.owners = record.owners.with("account", owner, at(since));
    Stored { record, expires }
}

/// The answer, which is at hand.
fn now<T: Unpin>(answer: Answer<'_, T>) -> Result<T, StoreError> {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a store in memory answers at once"),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn insert(
    store: &MemoryStore,
    number: u64,
    expires: Timestamp,
    when: u64,
) -> Result<bool, StoreError> {
    now(store.insert(key(number), session(number, "", expires), at(when)))
}

fn loads(store: &MemoryStore, number: u64, when: u64) -> bool {
    now(store.load(key(number), at(when))).unwrap().is_some()
}

fn sweep(store: &MemoryStore, when: u64, limit: usize) -> usize {
    block_on(store.remove_expired(at(when), limit)).unwrap()
}

/// Panics unless the counters say what the shards hold.
fn expect_counted(store: MemoryStore) {
    let counted = store.room.used();
    let sessions: Vec<_> = store
        .shards
        .into_sessions()
        .map(|(_, stored)| stored)
        .collect();
    assert_eq!(counted, Use::of(&sessions));
}

#[test]
fn it_keeps_the_contract() {
    block_on(conformance(MemoryStore::new()));
}

#[test]
fn it_keeps_the_contract_in_an_arc_with_little_room() {
    block_on(conformance(Arc::new(MemoryStore::new().max_sessions(2000))));
}

#[test]
fn a_session_is_dead_at_its_end_and_not_a_millisecond_before() {
    let store = MemoryStore::new();
    insert(&store, 1, END, 0).unwrap();
    assert!(loads(&store, 1, 4999));
    assert!(!loads(&store, 1, 5000));
}

#[test]
fn a_load_shares_the_record() {
    let store = MemoryStore::new();
    insert(&store, 1, END, 0).unwrap();
    let load = || now(store.load(key(1), at(0))).unwrap().unwrap().record;
    let (a, b) = (load(), load());
    let text = |record: &Record| record.fields.get(Slice::Named("a"), "b").unwrap().as_ptr();
    assert_eq!(text(&a), text(&b));
}

/// Named in the list of invariants: bounded.
#[test]
fn a_flood_passes_no_cap_and_evicts_nothing_live() {
    for (sessions, bytes) in [(1000, usize::MAX), (usize::MAX, 280_000)] {
        let store = MemoryStore::new().max_sessions(sessions).max_bytes(bytes);
        for number in 0..100 {
            insert(&store, number, END, 0).unwrap();
        }
        let flood = |from| {
            for number in from..from + 5000 {
                let inserted = insert(&store, number, END, 1);
                assert!(matches!(inserted, Ok(true) | Err(StoreError::Full)));
                let taken = store.room.used();
                assert!(taken.sessions <= sessions && taken.bytes <= bytes);
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| flood(10_000));
            scope.spawn(|| flood(20_000));
        });
        assert!(matches!(
            insert(&store, 30_000, END, 1),
            Err(StoreError::Full)
        ));
        assert!(store.len() >= 900);
        let ann = OwnerKey::of("account", b"1");
        let signed_in = owned(session(30_000, "", END), ann, 1);
        assert!(now(store.insert(key(30_000), signed_in, at(1))).unwrap());
        assert!((0..100).all(|number| loads(&store, number, 1)));
        expect_counted(store);
    }
}

#[test]
fn a_full_store_makes_room_of_what_has_expired() {
    let store = MemoryStore::new().max_sessions(1066);
    for number in 0..1000 {
        insert(&store, number, at(1000 + number), 0).unwrap();
    }
    assert!(matches!(
        insert(&store, 5000, END, 999),
        Err(StoreError::Full)
    ));
    assert!(insert(&store, 5000, END, 1000).unwrap());
    assert!(matches!(
        insert(&store, 5001, END, 1000),
        Err(StoreError::Full)
    ));
    assert!(loads(&store, 1, 1000));
    expect_counted(store);
}

#[test]
fn a_full_store_still_answers_whether_a_key_is_taken() {
    let store = MemoryStore::new().max_sessions(1);
    insert(&store, 1, END, 0).unwrap();
    assert!(!insert(&store, 1, END, 0).unwrap());
}

#[test]
fn a_full_store_still_rotates() {
    let store = MemoryStore::new().max_sessions(1);
    insert(&store, 1, END, 0).unwrap();
    let new = session(2, "", END);
    let swap = now(store.rotate(key(1), revision(1), key(2), new.clone(), at(0))).unwrap();
    assert_eq!(swap, Swap::Done);
    assert!(loads(&store, 2, 0));
    expect_counted(store);
}

#[test]
fn a_session_grows_up_to_the_cap_of_bytes_and_shrinks_beyond_it() {
    let store = MemoryStore::new();
    insert(&store, 1, END, 0).unwrap();
    // And a sixteenth, which is kept for sessions with an owner.
    let exact = (store.room.used().bytes + 100) * 16 / 15;
    let replace = |store: &MemoryStore, expected, new| {
        let new = session(new, &"x".repeat(usize::try_from(new).unwrap()), END);
        now(store.replace(key(1), revision(expected), new.clone(), at(0)))
    };
    let store = store.max_bytes(exact);
    assert!(matches!(replace(&store, 1, 101), Err(StoreError::Full)));
    assert_eq!(replace(&store, 1, 100).unwrap(), Swap::Done);

    let store = store.max_bytes(0);
    assert_eq!(replace(&store, 100, 99).unwrap(), Swap::Done);
    assert!(loads(&store, 1, 0));
    expect_counted(store);
}

#[test]
fn every_change_is_counted() {
    let store = MemoryStore::new();
    for number in 0..6 {
        insert(&store, number, END, 0).unwrap();
    }
    let long = session(10, "longer", END);
    assert!(insert(&store, 0, END, 5000).unwrap());
    now(store.replace(key(1), revision(1), long.clone(), at(0))).unwrap();
    now(store.rotate(key(2), revision(2), key(20), long.clone(), at(0))).unwrap();
    now(store.rotate(
        key(20),
        revision(10),
        key(3),
        session(11, "", at(9000)),
        at(0),
    ))
    .unwrap_err();
    insert(&store, 30, at(1), 0).unwrap();
    now(store.rotate(
        key(20),
        revision(10),
        key(30),
        session(11, "", at(9000)),
        at(1),
    ))
    .unwrap();
    assert!(now(store.remove(key(4), at(0))).unwrap());
    assert!(!now(store.remove(key(5), at(5000))).unwrap());
    assert!(!now(store.remove(key(6), at(0))).unwrap());
    assert_eq!(store.len(), 4);
    expect_counted(store);
}

#[test]
fn a_sweep_frees_up_to_its_limit_and_then_the_rest() {
    let store = MemoryStore::new();
    for number in 0..1000 {
        let expires = if number % 2 == 0 { at(10) } else { END };
        insert(&store, number, expires, 0).unwrap();
    }
    assert_eq!(sweep(&store, 9, 100), 0);
    for _ in 0..4 {
        assert_eq!(sweep(&store, 10, 120), 120);
    }
    assert_eq!(sweep(&store, 10, 120), 20);
    assert_eq!(sweep(&store, 10, 120), 0);
    assert!((0..1000).all(|number| loads(&store, number, 10) == (number % 2 == 1)));
    expect_counted(store);
}

/// So that nobody waits for a whole shard.
#[test]
fn a_sweep_frees_few_at_once_and_all_in_the_end() {
    let store = MemoryStore::new().max_sessions(40_000);
    for number in 0..30_000 {
        insert(&store, number, at(10), 0).unwrap();
    }
    let freed = block_on(async {
        let mut sweep = store.remove_expired(at(10), usize::MAX);
        let mut left = store.len();
        poll_fn(|context| {
            let answer = Pin::new(&mut sweep).poll(context);
            assert!(left - store.len() <= STEP, "one poll frees a few");
            left = store.len();
            answer
        })
        .await
    });
    assert_eq!(freed.unwrap(), 30_000);
    assert!(store.is_empty());
}

#[test]
fn a_sweep_finds_what_a_touch_or_a_replace_made_end_sooner() {
    let store = MemoryStore::new();
    for number in 1..=3 {
        insert(&store, number, END, 0).unwrap();
    }
    assert_eq!(sweep(&store, 1, 10), 0);
    now(store.touch(key(1), revision(1), at(10), at(1))).unwrap();
    now(store.replace(key(2), revision(2), session(4, "", at(10)), at(1))).unwrap();
    now(store.rotate(key(3), revision(3), key(30), session(5, "", at(10)), at(1))).unwrap();
    assert_eq!(sweep(&store, 10, 10), 3);
    assert!(store.is_empty());
}

#[test]
fn a_new_cap_keeps_the_sessions_that_are_there() {
    let store = MemoryStore::new();
    for number in 0..100 {
        insert(&store, number, END, 0).unwrap();
    }
    let store = store.max_sessions(10_000_000);
    assert_eq!(store.shards.len(), MOST_SHARDS);
    assert!((0..100).all(|number| loads(&store, number, 0)));
    let store = store.max_sessions(10);
    assert!(matches!(insert(&store, 100, END, 0), Err(StoreError::Full)));
    assert!((0..100).all(|number| loads(&store, number, 0)));
}

#[test]
fn rotations_in_both_directions_do_not_wait_for_each_other() {
    let store = MemoryStore::new();
    let session = session(1, "", END);
    now(store.insert(key(1), session.clone(), at(0))).unwrap();
    let rotate = |from: u64, to: u64| {
        for _ in 0..10_000 {
            let swap = now(store.rotate(key(from), revision(1), key(to), session.clone(), at(0)));
            assert!(matches!(swap, Ok(Swap::Done | Swap::Gone)));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| rotate(1, 2));
        scope.spawn(|| rotate(2, 1));
    });
    assert!(loads(&store, 1, 0) != loads(&store, 2, 0));
}

#[test]
fn a_poisoned_shard_still_answers() {
    let store = MemoryStore::new();
    insert(&store, 1, END, 0).unwrap();
    thread::scope(|scope| {
        let broken = scope.spawn(|| {
            let _shard = store.shards.of(&key(1));
            panic!("while it held the lock");
        });
        assert!(broken.join().is_err());
    });
    assert!(loads(&store, 1, 0));
}

#[test]
fn it_prints_counts_and_no_session() {
    let store = MemoryStore::new();
    now(store.insert(key(1), session(1, "text", END), at(0))).unwrap();
    let bytes = store.room.used().bytes;
    assert_eq!(
        format!("{store:?}"),
        format!("MemoryStore {{ sessions: 1, bytes: {bytes}, .. }}")
    );
}
