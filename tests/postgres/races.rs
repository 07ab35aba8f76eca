//! Each operation begins while another client is in the middle of changing its row, waits, and must
//! go by what that client left.

use std::time::Duration;

use sessile::deadpool_postgres::tokio_postgres::Client;
use sessile::deadpool_postgres::tokio_postgres::types::ToSql;
use sessile::{Lifetime, PostgresStore, Revision, SessionStore, StoreKey, Stored, Swap, Timestamp};

use crate::servers::postgres::Postgres;
use crate::{fresh_key, now, session, support};

const HOUR: Duration = Duration::from_hours(1);

const OLD: u64 = 1;
const NEW: u64 = 2;
const OURS: u64 = 3;

/// What the other client does to the row.
#[derive(Debug, Clone, Copy)]
enum Other {
    Replaces,
    Touches,
    Ends,
    Deletes,
    /// Rolls back, so that nothing was done.
    Nothing,
}

const OTHERS: [Other; 5] = [
    Other::Replaces,
    Other::Touches,
    Other::Ends,
    Other::Deletes,
    Other::Nothing,
];

struct Race {
    store: PostgresStore,
    other: Client,
    key: StoreKey,
    newer: Stored,
}

impl Race {
    async fn new() -> Self {
        support::trace::install();
        let server = Postgres::shared();
        let race = Self {
            store: server.store().await,
            other: server.connect().await,
            key: fresh_key(),
            newer: session(NEW, HOUR),
        };
        let old = session(OLD, HOUR / 2);
        assert!(race.store.insert(race.key, old, now()).await.unwrap());
        race
    }

    /// Runs an operation against a row that is being changed.
    async fn run<T>(&self, other: Other, operation: impl Future<Output = T>) -> T {
        let table = self.store.migration();
        let schema = table.split('"').nth(1).unwrap();
        let change = match other {
            Other::Replaces => "UPDATE table SET rev = 2, record = $2, expires = $3 WHERE key = $1",
            Other::Touches => "UPDATE table SET expires = $3 WHERE key = $1 AND $2::bytea <> ''",
            Other::Ends => {
                "UPDATE table SET expires = $3::bigint - 7200000 WHERE key = $1 AND $2::bytea <> ''"
            }
            Other::Deletes | Other::Nothing => {
                "DELETE FROM table WHERE key = $1 AND $2::bytea <> '' AND $3::bigint > 0"
            }
        };
        let change = change.replace("table", &format!("{schema}.session"));
        let record = self.newer.record.to_json();
        let expires = self.newer.expires.as_millis().cast_signed();
        self.other.batch_execute("BEGIN").await.unwrap();
        let key = self.key.as_bytes().as_slice();
        let record = record.as_bytes();
        let values: [&(dyn ToSql + Sync); 3] = [&key, &record, &expires];
        let changed = self.other.execute(&change, &values).await;
        assert_eq!(changed.unwrap(), 1);
        let end = async {
            self.wait_until_somebody_waits().await;
            let end = if matches!(other, Other::Nothing) {
                "ROLLBACK"
            } else {
                "COMMIT"
            };
            self.other.batch_execute(end).await.unwrap();
        };
        let (answer, ()) = tokio::join!(operation, end);
        answer
    }

    async fn wait_until_somebody_waits(&self) {
        let waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE NOT granted AND query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()";
        let table = self.store.migration();
        let schema = table.split('"').nth(1).unwrap();
        for _ in 0..1000 {
            let row = self
                .other
                .query_one(waiting, &[&format!("\"{schema}\"")])
                .await;
            if row.unwrap().get::<_, i64>(0) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the operation should wait for the other client");
    }
}

/// What a compare-and-swap of the old revision must answer.
fn swapped(other: Other, race: &Race) -> Swap {
    match other {
        Other::Replaces => Swap::Conflict(race.newer.clone()),
        Other::Touches | Other::Nothing => Swap::Done,
        Other::Ends | Other::Deletes => Swap::Gone,
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_replace_that_lost_answers_what_the_winner_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let ours = session(OURS, HOUR);
        let replace = race
            .store
            .replace(race.key, Revision::from_u64(OLD), ours, now());
        let swap = race.run(other, replace).await.unwrap();
        assert_eq!(swap, swapped(other, &race), "{other:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_replace_of_what_does_not_stand_yet_answers_what_stands_in_the_end() {
    for other in OTHERS {
        let race = Race::new().await;
        let (ours, unknown) = (session(OURS, HOUR), Revision::from_u64(7));
        let replace = race.store.replace(race.key, unknown, ours, now());
        let swap = race.run(other, replace).await.unwrap();
        let revision = match swap {
            Swap::Conflict(stands) => Some(stands.record.revision.as_u64()),
            Swap::Gone => None,
            Swap::Done => panic!("{other:?}"),
        };
        let expected = match other {
            Other::Replaces => Some(NEW),
            Other::Touches | Other::Nothing => Some(OLD),
            Other::Ends | Other::Deletes => None,
        };
        assert_eq!(revision, expected, "{other:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_rotation_that_lost_answers_what_the_winner_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let (to, ours) = (fresh_key(), session(OURS, HOUR));
        let old = Revision::from_u64(OLD);
        let rotate = race.store.rotate(race.key, old, to, ours.clone(), now());
        let swap = race.run(other, rotate).await.unwrap();
        let done = swap == Swap::Done;
        assert_eq!(swap, swapped(other, &race), "{other:?}");
        let moved = race.store.load(to, now()).await.unwrap();
        assert_eq!(moved, done.then_some(ours), "{other:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_touch_that_lost_answers_by_what_the_winner_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let (old, later) = (Revision::from_u64(OLD), now().plus(2 * HOUR));
        let touch = race.store.touch(race.key, old, later, now());
        let touched = race.run(other, touch).await.unwrap();
        assert_eq!(
            touched,
            !matches!(other, Other::Ends | Other::Deletes),
            "{other:?}"
        );
        let stands = race.store.load(race.key, now()).await.unwrap();
        let expected = match other {
            Other::Replaces => Some(race.newer.expires),
            Other::Touches | Other::Nothing => Some(later),
            Other::Ends | Other::Deletes => None,
        };
        assert_eq!(stands.map(|stands| stands.expires), expected, "{other:?}");
    }
}

/// Of many that read at once one moves the end, and the others are told where to: they have no touch to
/// ask for any more.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_load_that_was_to_touch_answers_what_the_other_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let at = now();
        // What the other leaves is not due.
        let lifetime = Lifetime {
            idle: race.newer.expires.since(at),
            absolute: Duration::MAX,
            until: Timestamp::MAX,
        };
        let loaded = race.store.load_and_touch(race.key, lifetime, at);
        let found = race.run(other, loaded).await.unwrap();
        let found = found.map(|found| (found.record.revision.as_u64(), found.expires));
        let expected = match other {
            Other::Replaces => Some((NEW, race.newer.expires)),
            Other::Touches | Other::Nothing => Some((OLD, race.newer.expires)),
            Other::Ends | Other::Deletes => None,
        };
        assert_eq!(found, expected, "{other:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_removal_takes_whatever_the_other_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let removed = race
            .run(other, race.store.remove(race.key, now()))
            .await
            .unwrap();
        assert_eq!(
            removed,
            !matches!(other, Other::Ends | Other::Deletes),
            "{other:?}"
        );
        assert_eq!(race.store.load(race.key, now()).await.unwrap(), None);
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn an_insert_goes_by_what_the_other_left() {
    for other in OTHERS {
        let race = Race::new().await;
        let ours = session(OURS, HOUR);
        let inserted = race
            .run(other, race.store.insert(race.key, ours, now()))
            .await
            .unwrap();
        assert_eq!(
            inserted,
            matches!(other, Other::Ends | Other::Deletes),
            "{other:?}"
        );
    }
}

/// A sweep takes no session that another request is reviving, and does not wait for it.
#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_sweep_passes_by_what_is_being_changed() {
    let race = Race::new().await;
    let table = race.store.migration();
    let schema = table.split('"').nth(1).unwrap();
    let later = now().plus(HOUR);
    race.other.batch_execute("BEGIN").await.unwrap();
    let lock = format!("SELECT FROM {schema}.session FOR UPDATE");
    race.other.batch_execute(&lock).await.unwrap();
    assert_eq!(race.store.remove_expired(later, 10).await.unwrap(), 0);
    race.other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(race.store.remove_expired(later, 10).await.unwrap(), 1);
}
