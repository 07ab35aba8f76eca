//! The index of owners, which triggers keep.

use std::time::Duration;

use sessile::{Record, Revision, SessionStore, SqliteStore, StoreError, StoreKey, Stored, Swap};

use crate::file::File;
use crate::support::size;
use crate::{fresh_key, now, session};

const HOUR: Duration = Duration::from_hours(1);

/// What the index has, and what the sessions say it should have.
const LISTED: &str = "SELECT owner || session FROM sessile_owner ORDER BY 1";
const OWNED: &str =
    "SELECT value || session.id FROM sessile_session AS session, json_each(owners) ORDER BY 1";

/// A session with an owner in each of these places.
fn owned(revision: u64, ends: Duration, owners: &str) -> Stored {
    let mut places = Vec::new();
    for (place, owner) in owners.chars().enumerate() {
        let key = format!("{}A", String::from(owner).repeat(42));
        places.push(format!(r#""place{place}":{{"key":"{key}","since":5}}"#));
    }
    let owners = places.join(",");
    let json =
        format!(r#"{{"v":1,"rev":{revision},"created":0,"owner":{{{owners}}},"data":{{}}}}"#);
    Stored {
        record: Record::from_json(json.as_bytes()).unwrap(),
        ..session(revision, ends)
    }
}

fn column(file: &File, sql: &str) -> Vec<String> {
    let hand = file.by_hand();
    let mut select = hand.prepare(sql).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Does something to one of a few keys, of which some hold what has ended.
async fn step(store: &SqliteStore, keys: &[StoreKey], revision: u64) {
    let owners = fastrand::choice(["", "a", "b", "ab", "ba", "abc"]).unwrap();
    let ends = fastrand::choice([HOUR, HOUR, HOUR, Duration::ZERO]).unwrap();
    let new = owned(revision, ends, owners);
    let [key, to] = [(); 2].map(|()| *fastrand::choice(keys).unwrap());
    let stands = store.load(key, now()).await.unwrap();
    let expected = stands.map_or(Revision::from_u64(0), |stands| stands.record.revision);
    match fastrand::u8(..6) {
        0 | 1 => drop(store.insert(key, new, now()).await.unwrap()),
        2 => drop(store.replace(key, expected, new, now()).await.unwrap()),
        3 => match store.rotate(key, expected, to, new, now()).await {
            Ok(_) | Err(StoreError::Taken) => {}
            Err(error) => panic!("{error:?}"),
        },
        4 => drop(store.remove(key, now()).await.unwrap()),
        _ => drop(store.remove_expired(now(), 1).await.unwrap()),
    }
}

#[tokio::test]
async fn it_has_what_the_sessions_say_after_each_step() {
    let file = File::new();
    let store = file.open().await;
    let keys: [StoreKey; 6] = std::array::from_fn(|_| fresh_key());
    let mut most = 0;
    for revision in 1..size(400, 20_000) {
        step(&store, &keys, u64::try_from(revision).unwrap()).await;
        let listed = column(&file, LISTED);
        assert_eq!(listed, column(&file, OWNED));
        most = most.max(listed.len());
    }
    assert!(most > 3, "{most} at once at most");
}

/// The trigger that makes room for a rotation has gone when the statement undoes itself.
#[tokio::test]
async fn a_rotation_onto_a_live_session_changes_nothing() {
    let file = File::new();
    let store = file.open().await;
    let [from, to] = [(); 2].map(|()| fresh_key());
    let (one, other) = (owned(1, HOUR, "a"), owned(2, HOUR, "b"));
    store.insert(from, one.clone(), now()).await.unwrap();
    store.insert(to, other.clone(), now()).await.unwrap();
    let before = (
        column(&file, LISTED),
        column(&file, "SELECT hex(key) FROM sessile_session"),
    );
    let first = Revision::from_u64(1);
    for to in [to, from] {
        let taken = store
            .rotate(from, first, to, owned(3, HOUR, "c"), now())
            .await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
    }
    assert_eq!(store.load(from, now()).await.unwrap(), Some(one));
    assert_eq!(store.load(to, now()).await.unwrap(), Some(other));
    let after = (
        column(&file, LISTED),
        column(&file, "SELECT hex(key) FROM sessile_session"),
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_rotation_takes_the_place_of_what_has_ended() {
    let file = File::new();
    let store = file.open().await;
    let [from, to] = [(); 2].map(|()| fresh_key());
    store
        .insert(to, owned(1, Duration::ZERO, "ab"), now())
        .await
        .unwrap();
    store
        .insert(from, owned(2, HOUR, "a"), now())
        .await
        .unwrap();
    let new = owned(3, HOUR, "c");
    let swap = store
        .rotate(from, Revision::from_u64(2), to, new.clone(), now())
        .await;
    assert_eq!(swap.unwrap(), Swap::Done);
    assert_eq!(store.load(to, now()).await.unwrap(), Some(new));
    assert_eq!(column(&file, LISTED), column(&file, OWNED));
    assert_eq!(
        column(&file, "SELECT hex(key) FROM sessile_session").len(),
        1
    );
}
