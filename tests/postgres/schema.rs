//! The tables: who makes them, under which names.

use std::time::Duration;

use http::StatusCode;
use sessile::{Lifetime, PostgresConfigError, PostgresStore, SessionStore, StoreError, Timestamp};
use tokio::task::JoinSet;

use crate::servers::postgres::Postgres;
use crate::support::Visitor;
use crate::{app, fresh_key, now, session, support};

const DEADLINE: Duration = Duration::from_secs(2);

fn nowhere() -> PostgresStore {
    support::trace::install();
    PostgresStore::from_url("postgres://nobody@127.0.0.1:1/nothing").unwrap()
}

#[test]
fn only_plain_identifiers_are_names() {
    let long = "a".repeat(64);
    let refused = [
        "", "1", "1a", "A", "Sessions", "a b", "a-b", "a.b", "a\"b", "\"", "a'b", "a;b", "a\0b",
        "\0", "naïve", "$a", "a$", "--", "a\n", &long,
    ];
    for name in refused {
        let schema = nowhere().schema(name);
        assert_eq!(schema.unwrap_err(), PostgresConfigError::Schema, "{name:?}");
        if !name.is_empty() {
            let prefix = nowhere().prefix(name);
            assert_eq!(prefix.unwrap_err(), PostgresConfigError::Prefix, "{name:?}");
        }
    }
    let long = "a".repeat(63);
    for name in ["a", "_", "_1", "public", "shop_2", "select", &long] {
        assert!(nowhere().schema(name).is_ok(), "{name}");
    }
    assert!(nowhere().prefix("").is_ok());
    assert!(nowhere().prefix("a".repeat(48)).is_ok());
    // An index's name would be cut off, and meet another's.
    assert!(nowhere().prefix("a".repeat(49)).is_err());
}

#[test]
fn a_url_is_checked_and_not_shown() {
    for url in [
        "",
        "s3cret",
        "mysql://a:s3cret@b/c",
        "postgres://a:s3cret@b:port/c",
    ] {
        let error = PostgresStore::from_url(url).unwrap_err();
        assert_eq!(error, PostgresConfigError::Url, "{url}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
    let tls = PostgresStore::from_url("postgres://a:s3cret@b/c?sslmode=require");
    assert_eq!(tls.unwrap_err(), PostgresConfigError::NeedsTls);
    let store = PostgresStore::from_url("postgres://a:s3cret@b/c").unwrap();
    assert!(!format!("{store:?}").contains("s3cret"));
}

#[test]
fn the_docs_print_the_sql_that_is_run() {
    let printed = include_str!("../../session-runtime/src/store/postgres/schema.sql");
    assert_eq!(nowhere().migration(), printed);
    let named = nowhere()
        .schema("app")
        .unwrap()
        .prefix("web_")
        .unwrap()
        .migration();
    assert!(named.contains(r#"CREATE TABLE IF NOT EXISTS "app"."web_session" ("#));
    assert!(
        named
            .contains(r#"CREATE INDEX IF NOT EXISTS "web_session_expires" ON "app"."web_session""#)
    );
    assert!(!named.contains("\"sessile\"") && !named.contains("\"session"));
}

/// What stands in a schema: tables with their columns, and indexes.
async fn described(server: &Postgres, schema: &str) -> Vec<String> {
    let describe = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1
        UNION ALL SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
        FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1";
    let rows = server
        .connect()
        .await
        .query(describe, &[&schema])
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.get::<_, String>(0).replace(schema, "SCHEMA"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn many_may_migrate_at_once() {
    support::trace::install();
    let server = Postgres::shared();
    for round in 0..5 {
        let schema = format!("at_once_{round}");
        let mut migrations = JoinSet::new();
        for _ in 0..16 {
            // Each over connections of its own, as processes have them.
            let store = PostgresStore::from_url(&server.url()).unwrap();
            let store = store.schema(&schema).unwrap();
            migrations.spawn(async move {
                store.migrate().await.unwrap();
                let (key, session) = (fresh_key(), session(1, Duration::from_mins(1)));
                assert!(store.insert(key, session, now()).await.unwrap());
            });
        }
        assert_eq!(migrations.join_all().await.len(), 16);
        assert_eq!(described(server, &schema).await.len(), 14);
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn what_is_migrated_by_hand_is_the_same_and_is_left_alone() {
    support::trace::install();
    let server = Postgres::shared();
    let store = |schema| {
        PostgresStore::from_url(&server.url())
            .unwrap()
            .schema(schema)
            .unwrap()
    };
    let by_hand = store("by_hand");
    let admin = server.connect().await;
    admin.batch_execute(&by_hand.migration()).await.unwrap();
    store("by_itself").migrate().await.unwrap();
    let described_by_hand = described(server, "by_hand").await;
    assert_eq!(described_by_hand, described(server, "by_itself").await);

    // Who may not make tables may call `migrate` all the same, once they are there.
    let role = "CREATE ROLE no_owner LOGIN; GRANT USAGE ON SCHEMA by_hand TO no_owner;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA by_hand TO no_owner";
    admin.batch_execute(role).await.unwrap();
    let url = server.url_of("no_owner");
    let poor = PostgresStore::from_url(&url)
        .unwrap()
        .schema("by_hand")
        .unwrap();
    poor.migrate().await.unwrap();
    assert!(
        poor.insert(fresh_key(), session(1, DEADLINE), now())
            .await
            .unwrap()
    );
    let elsewhere = PostgresStore::from_url(&url)
        .unwrap()
        .schema("elsewhere")
        .unwrap();
    let refused = elsewhere.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn tables_of_before_are_brought_up_to_date_and_keep_their_sessions() {
    support::trace::install();
    let server = Postgres::shared();
    let store = PostgresStore::from_url(&server.url())
        .unwrap()
        .schema("before")
        .unwrap();
    store.migrate().await.unwrap();
    let before = described(server, "before").await;
    let (key, session) = (fresh_key(), session(1, Duration::from_hours(1)));
    store.insert(key, session.clone(), now()).await.unwrap();
    // As schema 1 was, and as it would be if a later version had added these.
    let older = "ALTER TABLE before.session DROP COLUMN created;
        DROP INDEX before.session_owners; DROP TABLE before.mark;
        COMMENT ON TABLE before.session IS 'sessile schema 1'";
    server.connect().await.batch_execute(older).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(described(server, "before").await, before);
    assert_eq!(store.load(key, now()).await.unwrap(), Some(session.clone()));
    // When it was created the row does not say: it is touched by a statement of its own.
    let lifetime = Lifetime {
        idle: Duration::from_hours(9),
        absolute: Duration::MAX,
        until: Timestamp::MAX,
    };
    let used = store.load_and_touch(key, lifetime, now()).await;
    assert_eq!(used.unwrap(), Some(session));
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn stores_with_other_names_do_not_meet() {
    support::trace::install();
    let server = Postgres::shared();
    let stores = [("names", ""), ("names", "a_"), ("names_2", "a_")].map(|(schema, prefix)| {
        let store = PostgresStore::from_url(&server.url()).unwrap();
        store.schema(schema).unwrap().prefix(prefix).unwrap()
    });
    let key = fresh_key();
    for (revision, store) in (1..).zip(&stores) {
        store.migrate().await.unwrap();
        let inserted = store.insert(key, session(revision, DEADLINE), now()).await;
        assert!(inserted.unwrap(), "{store:?}");
    }
}

#[tokio::test]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn without_tables_a_request_is_answered_503() {
    let store = PostgresStore::from_url(&Postgres::shared().url()).unwrap();
    let app = app(store.schema("nobody_migrated").unwrap(), DEADLINE);
    let answer = Visitor::new(&app).get("/write").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
