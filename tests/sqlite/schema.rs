//! Names, and how the tables are made.

use std::time::Duration;

use http::StatusCode;
use sessile::deadpool_sqlite::rusqlite::Connection;
use sessile::{SessionStore, SqliteConfigError, SqliteStore, StoreError};
use tokio::task::JoinSet;

use crate::file::{File, child};
use crate::support::Visitor;
use crate::{app, fresh_key, now, session};

const MINUTE: Duration = Duration::from_mins(1);

fn nowhere() -> SqliteStore {
    SqliteStore::from_url("sqlite:nowhere/app.db").unwrap()
}

/// What stands in a file.
fn described(connection: &Connection) -> Vec<String> {
    let describe =
        "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1";
    let mut described = connection.prepare(describe).unwrap();
    let rows = described.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_prefix_that_needs_quotes_is_refused() {
    for prefix in [
        "a b", "A", "ä", "a-b", "a.b", "a\"b", "a;", "1a", "sqlite_", "sqlite_a", "a\0",
    ] {
        let refused = nowhere().prefix(prefix).unwrap_err();
        assert_eq!(refused, SqliteConfigError::Prefix, "{prefix}");
    }
    for prefix in ["", "a", "_", "web_1_", "select"] {
        nowhere().prefix(prefix).unwrap();
    }
    nowhere().prefix("a".repeat(48)).unwrap();
    nowhere().prefix("a".repeat(49)).unwrap_err();
}

#[test]
fn a_url_that_names_no_file_is_refused() {
    for url in [
        "",
        "sqlite",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:app.db?mode=rwc",
        "postgres://a:s3cret@b/c",
        "/var/lib/s3cret.db",
    ] {
        let refused = SqliteStore::from_url(url).unwrap_err();
        assert_eq!(refused, SqliteConfigError::Url, "{url}");
        assert_eq!(format!("{refused:?}"), refused.to_string());
        assert!(!refused.to_string().contains("s3cret"));
    }
    let store = SqliteStore::from_url("sqlite:/var/lib/s3cret.db").unwrap();
    assert!(!format!("{store:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_url_names_its_file_with_slashes_or_without() {
    let file = File::new();
    let key = fresh_key();
    let one = file.open().await;
    assert!(one.insert(key, session(1, MINUTE), now()).await.unwrap());
    for url in [file.url(), file.url().replace("sqlite:", "sqlite://")] {
        let same = SqliteStore::from_url(&url).unwrap();
        let found = same.load(key, now()).await.unwrap();
        assert!(found.is_some(), "{url}");
    }
}

/// SQLite gives some names another meaning, and each connection would have a memory of its own.
#[tokio::test]
async fn a_path_is_a_path_whatever_its_name() {
    const NAMES: [&str; 3] = [":memory:", "file:b?mode=memory", "a file #1"];

    // Relative to a folder, which only another process may choose.
    if child().is_some() {
        for name in NAMES {
            let store = SqliteStore::open(name).await.unwrap();
            let inserted = store.insert(fresh_key(), session(1, MINUTE), now()).await;
            assert!(inserted.unwrap(), "{name}");
        }
        let nothing = SqliteStore::open("").await;
        assert!(matches!(nothing, Err(StoreError::Unavailable(_))));
        return;
    }
    let file = File::new();
    let mut child = file.child("schema::a_path_is_a_path_whatever_its_name");
    assert!(child.current_dir(file.folder()).status().unwrap().success());
    for name in NAMES {
        assert!(file.folder().join(name).is_file(), "{name}");
    }
}

#[test]
fn the_docs_print_the_sql_that_is_run() {
    let printed = include_str!("../../session-runtime/src/store/sqlite/schema.sql");
    assert_eq!(nowhere().migration(), printed);
    let named = nowhere().prefix("web_").unwrap().migration();
    assert!(named.contains(r#"CREATE TABLE IF NOT EXISTS "web_session" ("#));
    assert!(named.contains(r#"CREATE INDEX IF NOT EXISTS "web_session_expires" ON "web_session""#));
    assert!(!named.contains("sessile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_migrate_at_once() {
    if let Some(path) = child() {
        let store = SqliteStore::open(path).await.unwrap();
        let inserted = store.insert(fresh_key(), session(1, MINUTE), now()).await;
        assert!(inserted.unwrap());
        return;
    }
    for _ in 0..5 {
        let file = File::new();
        let children: Vec<_> = (0..4)
            .map(|_| {
                file.child("schema::many_may_migrate_at_once")
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut migrations = JoinSet::new();
        for _ in 0..8 {
            let path = file.path();
            migrations.spawn(async move {
                let store = SqliteStore::open(path).await.unwrap();
                let inserted = store.insert(fresh_key(), session(1, MINUTE), now()).await;
                assert!(inserted.unwrap());
            });
        }
        migrations.join_all().await;
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let count = "SELECT count(*) FROM sessile_session JOIN sessile_schema";
        let count: i64 = file
            .by_hand()
            .query_one(count, [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 12);
    }
}

#[tokio::test]
async fn what_is_migrated_by_hand_is_the_same_and_is_left_alone() {
    let (by_hand, by_itself) = (File::new(), File::new());
    drop(by_itself.open().await);
    let script = format!("BEGIN IMMEDIATE; {} COMMIT;", nowhere().migration());
    // Twice, as it changes nothing where it was run.
    by_hand.by_hand().execute_batch(&script).unwrap();
    by_hand.by_hand().execute_batch(&script).unwrap();
    let described_by_hand = described(&by_hand.by_hand());
    assert_eq!(described_by_hand, described(&by_itself.by_hand()));
    assert_eq!(described_by_hand.len(), 11);

    // Where nobody may write, there is nothing to write either.
    let read_only = by_hand.pool_with(1, "PRAGMA query_only = ON", |_| {});
    SqliteStore::new(read_only.clone()).migrate().await.unwrap();
    let elsewhere = SqliteStore::new(read_only).prefix("elsewhere_").unwrap();
    let refused = elsewhere.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(described(&by_hand.by_hand()), described_by_hand);
}

#[tokio::test]
async fn an_applications_own_file_is_left_as_it_is_otherwise() {
    let file = File::new();
    let own = "PRAGMA user_version = 41; PRAGMA application_id = 42;
        CREATE TABLE session (a); INSERT INTO session VALUES ('theirs')";
    file.by_hand().execute_batch(own).unwrap();
    let store = file.open().await;
    store
        .insert(fresh_key(), session(1, MINUTE), now())
        .await
        .unwrap();
    store.remove_expired(now().plus(MINUTE), 10).await.unwrap();
    let hand = file.by_hand();
    let number = |sql: &str| hand.query_one(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), 41);
    assert_eq!(number("PRAGMA application_id"), 42);
    assert_eq!(number("SELECT count(*) FROM session WHERE a = 'theirs'"), 1);
    let others = described(&hand);
    assert!(
        others
            .iter()
            .all(|of| of.contains("sessile_") || of.starts_with("table session:"))
    );
}

#[tokio::test]
async fn tables_of_before_are_brought_up_to_date_and_keep_their_sessions() {
    let file = File::new();
    let store = file.open().await;
    let before = described(&file.by_hand());
    let (key, session) = (fresh_key(), session(1, MINUTE));
    store.insert(key, session.clone(), now()).await.unwrap();
    // As it would be if a later version had added these.
    let older = "DROP INDEX sessile_mark_until; DROP TRIGGER sessile_session_ends;
        UPDATE sessile_schema SET version = 0";
    file.by_hand().execute_batch(older).unwrap();
    store.migrate().await.unwrap();
    assert_eq!(described(&file.by_hand()), before);
    assert_eq!(store.load(key, now()).await.unwrap(), Some(session));
}

#[tokio::test]
async fn stores_with_other_names_do_not_meet() {
    let file = File::new();
    let key = fresh_key();
    for (revision, prefix) in (1..).zip(["sessile_", "", "a_"]) {
        let store = SqliteStore::from_url(&file.url())
            .unwrap()
            .prefix(prefix)
            .unwrap();
        store.migrate().await.unwrap();
        let inserted = store.insert(key, session(revision, MINUTE), now()).await;
        assert!(inserted.unwrap(), "{store:?}");
    }
}

#[tokio::test]
async fn without_tables_a_request_is_answered_503() {
    let file = File::new();
    let store = SqliteStore::from_url(&file.url()).unwrap();
    let answer = Visitor::new(&app(store, MINUTE)).get("/write").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
