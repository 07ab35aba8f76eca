//! A file that is full, broken, or no file, and what is no record.

use std::time::Duration;

use http::StatusCode;
use sessile::{Lifetime, SessionStore, SqliteStore, StoreError, Timestamp};

use crate::file::File;
use crate::support::Visitor;
use crate::{app, fresh_key, now, session};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_full_file_refuses_and_forgets_nobody() {
    let file = File::new();
    let begin = "PRAGMA journal_mode = WAL; PRAGMA max_page_count = 64";
    let store = file.store_over(file.pool_with(2, begin, |_| {})).await;
    let app = app(store.clone(), HOUR);
    let mut early = Visitor::new(&app);
    early.get("/write").await;
    let mut kept = Vec::new();
    let refused = loop {
        let (key, session) = (fresh_key(), session(1, HOUR));
        match store.insert(key, session.clone(), now()).await {
            Ok(inserted) => kept.push((inserted, key, session)),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    // Another key may still find room in its page.
    let late = loop {
        let late = Visitor::new(&app).get("/write").await;
        if late.status != StatusCode::OK {
            break late;
        }
    };
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(late.set_cookies(), [""; 0]);
    assert!(kept.len() > 100, "{} sessions in 64 pages", kept.len());
    for (inserted, key, session) in &kept {
        assert!(inserted);
        assert_eq!(
            store.load(*key, now()).await.unwrap().as_ref(),
            Some(session)
        );
    }
    assert_eq!(early.get("/read").await.body, "1");
    assert_eq!(early.get("/write").await.status, StatusCode::OK);

    // Whoever leaves makes room.
    for (_, key, _) in &kept[..50] {
        assert!(store.remove(*key, now()).await.unwrap());
    }
    let late = Visitor::new(&app).get("/write").await;
    assert_eq!(late.status, StatusCode::OK);
    assert_eq!(early.get("/read").await.body, "2");
}

/// Whoever only reads has lost nothing: the session ends when it would have.
#[tokio::test]
async fn a_full_file_lets_those_read_whose_touch_it_refuses() {
    let file = File::new();
    let begin = "PRAGMA journal_mode = WAL; PRAGMA max_page_count = 64";
    let store = file.store_over(file.pool_with(2, begin, |_| {})).await;
    let mut kept = Vec::new();
    loop {
        let (key, session) = (fresh_key(), session(1, HOUR));
        match store.insert(key, session.clone(), now()).await {
            Ok(_) => kept.push((key, session)),
            Err(_) => break,
        }
    }
    let lifetime = Lifetime {
        idle: 2 * HOUR,
        absolute: Duration::MAX,
        until: Timestamp::MAX,
    };
    let mut refused = 0;
    // Not all, so that the index of the ends gives no page back.
    for (key, session) in kept.iter().step_by(2) {
        // What was not seen yet is only read.
        for _ in 0..2 {
            let found = store.load_and_touch(*key, lifetime, now()).await;
            let found = found.unwrap().unwrap();
            assert_eq!(found.record, session.record);
            refused += usize::from(found.expires == session.expires);
        }
    }
    let seen = kept.len().div_ceil(2);
    eprintln!("{} of {seen} touches were refused", refused - seen);
    assert!(refused > seen);
}

#[tokio::test]
async fn what_is_no_record_is_answered_503_and_stays() {
    let file = File::new();
    let app = app(file.open().await, HOUR);
    let hand = file.by_hand();
    for record in [
        "''",
        "'x'",
        "'{}'",
        r#"'{"v":2,"rev":1,"created":0,"data":{}}'"#,
        "CAST(x'00ff' AS TEXT)",
    ] {
        let mut visitor = Visitor::new(&app);
        visitor.get("/write").await;
        let spoil = format!("UPDATE sessile_session SET record = {record}");
        hand.execute_batch(&spoil).unwrap();
        for path in ["/read", "/write", "/login/ann"] {
            let answer = visitor.get(path).await;
            assert_eq!(
                answer.status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{record}: {path}"
            );
            assert_eq!(answer.set_cookies(), [""; 0], "{record}: {path}");
        }
        let stays = format!("SELECT record IS {record} FROM sessile_session");
        assert!(
            hand.query_one(&stays, [], |row| row.get::<_, bool>(0))
                .unwrap()
        );
        hand.execute_batch("DELETE FROM sessile_session").unwrap();
    }
}

#[tokio::test]
async fn what_is_no_sqlite_file_is_refused_and_stays() {
    let file = File::new();
    let text = "not a database, but somebody's letters ".repeat(100);
    std::fs::write(file.path(), &text).unwrap();
    let refused = SqliteStore::open(file.path()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
    let nowhere = SqliteStore::open(file.folder().join("no folder/app.db")).await;
    assert!(
        matches!(nowhere, Err(StoreError::Unavailable(_))),
        "{nowhere:?}"
    );
}

/// Every page but the first is lost, as by a disk that fails: an error, and never an absence.
#[tokio::test]
async fn a_broken_file_is_answered_503() {
    let file = File::new();
    let mut visitor = Visitor::new(&app(file.open().await, HOUR));
    visitor.get("/write").await;
    file.by_hand()
        .query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(file.path(), &bytes).unwrap();
    let app = app(SqliteStore::from_url(&file.url()).unwrap(), HOUR);
    let mut again = Visitor::new(&app);
    again.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    for path in ["/read", "/write", "/logout"] {
        let answer = again.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
}

/// What is written within a transaction of others would go when they take it back.
#[tokio::test]
async fn a_connection_within_a_transaction_is_refused() {
    let file = File::new();
    let pool = file.pool(1);
    let store = file.store_over(pool.clone()).await;
    let (key, session) = (fresh_key(), session(1, HOUR));
    let tell = async |sql: &'static str| {
        let connection = pool.get().await.unwrap();
        let told = connection.interact(move |connection| connection.execute_batch(sql));
        told.await.unwrap().unwrap();
    };
    tell("BEGIN").await;
    let refused = store.insert(key, session.clone(), now()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    tell("ROLLBACK").await;
    assert!(store.insert(key, session, now()).await.unwrap());
}
