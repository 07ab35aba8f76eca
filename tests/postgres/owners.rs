//! Sessions by their owner, and the marks of revocations.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use sessile::{
    OwnerKey, PostgresStore, Record, Revision, Secret, SessionLayer, SessionStore, StoreKey,
    Stored, Swap, Timestamp,
};
use tokio::task::JoinSet;

use crate::servers::postgres::Postgres;
use crate::support::Visitor;
use crate::{Account, fresh_key, now, routes, session, support};

const HOUR: Duration = Duration::from_hours(1);

/// 43 characters of base64url that name an owner.
fn name(of: char) -> String {
    format!("{}A", String::from(of).repeat(42))
}

/// A session with an owner in each of these places.
fn owned(revision: u64, ends: Duration, owners: &[char]) -> Stored {
    let mut places = Vec::new();
    for (place, owner) in owners.iter().enumerate() {
        let key = name(*owner);
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

fn owner(of: char) -> OwnerKey {
    let session = owned(0, HOUR, &[of]);
    session.record.owners.keys().next().unwrap()
}

async fn store() -> PostgresStore {
    support::trace::install();
    Postgres::shared().store().await
}

/// Where the sessions of an owner are, each as it was stored.
async fn listed(store: &PostgresStore, of: char) -> BTreeSet<StoreKey> {
    let sessions = store.owned_by(owner(of), now()).await.unwrap();
    let mut keys = BTreeSet::new();
    for (key, session) in sessions {
        assert_eq!(store.load(key, now()).await.unwrap(), Some(session));
        keys.insert(key);
    }
    keys
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_session_is_listed_under_those_whose_it_is_now() {
    let store = store().await;
    let [key, to, anonymous, ended] = std::array::from_fn(|_| fresh_key());
    let none = BTreeSet::new();
    store
        .insert(anonymous, session(1, HOUR), now())
        .await
        .unwrap();
    store
        .insert(ended, owned(1, Duration::ZERO, &['a']), now())
        .await
        .unwrap();
    assert_eq!(listed(&store, 'a').await, none);

    store
        .insert(key, owned(1, HOUR, &['a', 'b']), now())
        .await
        .unwrap();
    assert_eq!(listed(&store, 'a').await, BTreeSet::from([key]));
    assert_eq!(listed(&store, 'b').await, BTreeSet::from([key]));

    let [one, two] = [1, 2].map(Revision::from_u64);
    let swap = store
        .replace(key, one, owned(2, HOUR, &['b', 'c']), now())
        .await;
    assert_eq!(swap.unwrap(), Swap::Done);
    assert_eq!(listed(&store, 'a').await, none);
    assert_eq!(listed(&store, 'b').await, BTreeSet::from([key]));
    assert_eq!(listed(&store, 'c').await, BTreeSet::from([key]));

    let swap = store
        .rotate(key, two, to, owned(3, HOUR, &['c']), now())
        .await;
    assert_eq!(swap.unwrap(), Swap::Done);
    assert_eq!(listed(&store, 'b').await, none);
    assert_eq!(listed(&store, 'c').await, BTreeSet::from([to]));

    // Over one that has ended.
    store
        .insert(ended, owned(4, HOUR, &['c']), now())
        .await
        .unwrap();
    assert_eq!(listed(&store, 'a').await, none);
    assert_eq!(listed(&store, 'c').await, BTreeSet::from([to, ended]));
    store
        .touch(ended, Revision::from_u64(4), now(), now())
        .await
        .unwrap();
    store.remove(to, now()).await.unwrap();
    assert_eq!(listed(&store, 'c').await, none);
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_two_marks_are_the_same() {
    let store = store().await;
    let ann = owner('a');
    let [zero, at, until] = [0, 1000, 5000].map(Timestamp::from_millis);
    assert_eq!(store.marked(ann, zero).await.unwrap(), None);
    let mut marks = JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        marks.spawn(async move {
            store
                .mark(ann, at, until, None, zero)
                .await
                .unwrap()
                .unwrap()
                .as_millis()
        });
    }
    let marks: BTreeSet<u64> = marks.join_all().await.into_iter().collect();
    assert_eq!(marks, (1000..1032).collect());
    let last = store.marked(ann, zero).await.unwrap();
    assert_eq!(last, Some(Timestamp::from_millis(1031)));
    assert_eq!(store.marked(owner('b'), zero).await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_mark_is_kept_as_long_as_was_asked_at_most() {
    let store = store().await;
    let ann = owner('a');
    let at = Timestamp::from_millis;
    store
        .mark(ann, at(1000), at(5000), None, at(1000))
        .await
        .unwrap();
    store
        .mark(ann, at(2000), at(3000), None, at(2000))
        .await
        .unwrap();
    assert_eq!(store.marked(ann, at(4999)).await.unwrap(), Some(at(2000)));
    assert_eq!(store.marked(ann, at(5000)).await.unwrap(), None);
    // A mark that is past pushes none ahead, and is freed uncounted.
    assert_eq!(
        store
            .mark(ann, at(1), at(9000), None, at(5000))
            .await
            .unwrap(),
        Some(at(1))
    );
    assert_eq!(store.remove_expired(at(9000), 10).await.unwrap(), 0);
    let table = store.migration();
    let count = format!(
        "SELECT count(*) FROM {}.mark",
        table.split('"').nth(1).unwrap()
    );
    let client = Postgres::shared().connect().await;
    let left: i64 = client.query_one(&count, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn no_sign_in_slips_through_a_revocation() {
    let store = store().await;
    let sessions = SessionLayer::new(store, Secret::generate());
    let all = sessions.sessions();
    let app = routes().layer(sessions);
    for round in 0..50 {
        let user = format!("user{round}");
        let mut early = Visitor::new(&app);
        assert_eq!(
            early.get(&format!("/login/{user}")).await.status,
            StatusCode::OK
        );
        let sign_ins: JoinSet<_> = (0..4)
            .map(|_| {
                let (app, user) = (app.clone(), user.clone());
                async move {
                    let mut visitor = Visitor::new(&app);
                    let answer = visitor.get(&format!("/login/{user}")).await;
                    (visitor, answer.status)
                }
            })
            .collect();
        let (revoked, signed_in) =
            tokio::join!(all.revoke_all::<Account>(&user), sign_ins.join_all());
        assert!(revoked.unwrap() >= 1);
        assert_eq!(early.get("/me").await.status, StatusCode::UNAUTHORIZED);
        // What began after the revocation stays; what began before it is gone, and was told or is
        // listed no more. Another one leaves nobody.
        let left = all.list::<Account>(&user).await.unwrap().len();
        let mut alive = 0;
        for (mut visitor, status) in signed_in {
            let me = visitor.get("/me").await.status;
            alive += usize::from(me == StatusCode::OK);
            assert!(
                status == StatusCode::OK || me != StatusCode::OK,
                "round {round}"
            );
        }
        assert_eq!(left, alive, "round {round}");
    }
}
