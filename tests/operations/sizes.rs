//! How much room a session takes.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use sessile::deadpool_sqlite::rusqlite::Connection;
use sessile::{
    ID_BYTES, PostgresStore, Record, RedisStore, SessionId, SessionStore, SqliteStore, Stored,
    Timestamp,
};
use tokio::task::JoinSet;

use crate::page;
use crate::servers::Folder;
use crate::servers::postgres::Postgres;
use crate::servers::redis::Redis;

const SESSIONS: u32 = 5_000;

/// How the page names what is measured, in the order of its rows: bytes of JSON, and whether each is
/// of an owner of its own.
const KINDS: [(&str, usize, bool); 3] = [
    ("100 bytes of JSON", 100, false),
    ("1,000 bytes of JSON", 1000, false),
    ("250 bytes of JSON, an owner's", 250, true),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn the_page_says_how_much_redis_takes_for_a_session() {
    let mut measured = Vec::new();
    for (kind, bytes, is_owned) in KINDS {
        let redis = Redis::start();
        let store = RedisStore::open(&redis.url()).unwrap();
        fill(&store, bytes, is_owned, 0..1, 1).await;
        let used = || {
            let info = redis.ask(&["INFO", "memory"]);
            let used = info
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:"));
            used.unwrap().trim().parse::<i64>().unwrap()
        };
        let before = used();
        fill(&store, bytes, is_owned, 1..SESSIONS, 8).await;
        measured.push((kind, used() - before));
    }
    compare("Redis 7.0", &measured);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn the_page_says_how_much_postgres_takes_for_a_session() {
    let mut measured = Vec::new();
    for (kind, bytes, is_owned) in KINDS {
        let server = Postgres::start(&[]);
        let store = PostgresStore::from_url(&server.url()).unwrap();
        store.migrate().await.unwrap();
        // One after another: who meets others at the end of the table adds to it ahead of need.
        fill(&store, bytes, is_owned, 0..SESSIONS, 1).await;
        let size = "SELECT pg_total_relation_size('sessile.session')";
        let row = server.connect().await.query_one(size, &[]).await.unwrap();
        measured.push((kind, row.get(0)));
    }
    compare("PostgreSQL 15", &measured);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_how_much_sqlite_takes_for_a_session() {
    let mut measured = Vec::new();
    for (kind, bytes, is_owned) in KINDS {
        let folder = Folder::new("sizes");
        let path = folder.path().join("sessions.db");
        let store = SqliteStore::open(&path).await.unwrap();
        fill(&store, bytes, is_owned, 0..SESSIONS, 8).await;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let file = Connection::open(&path).unwrap();
        measured.push((kind, file.query_row(size, [], |row| row.get(0)).unwrap()));
    }
    compare("SQLite 3", &measured);
}

/// Stores sessions, some at once.
async fn fill(
    store: &(impl SessionStore + Clone),
    bytes: usize,
    is_owned: bool,
    numbers: Range<u32>,
    at_once: usize,
) {
    let now = Timestamp::from(SystemTime::now());
    let mut tasks = JoinSet::new();
    for part in 0..at_once {
        let (store, numbers) = (store.clone(), numbers.clone());
        tasks.spawn(async move {
            for number in numbers.skip(part).step_by(at_once) {
                let mut id = [0; ID_BYTES];
                id[..4].copy_from_slice(&number.to_be_bytes());
                let new = session(number, bytes, is_owned, now);
                let stored = store
                    .insert(SessionId::from_bytes(id).key(), new, now)
                    .await;
                assert!(stored.unwrap());
            }
        });
    }
    tasks.join_all().await;
}

/// A session of so many bytes of JSON, of an owner of its own or nobody's.
fn session(number: u32, bytes: usize, is_owned: bool, now: Timestamp) -> Stored {
    let owner = format!("{number:042}A");
    let since = now.as_millis();
    let owner = if is_owned {
        format!(r#""owner":{{"account":{{"key":"{owner}","since":{since}}}}},"#)
    } else {
        String::new()
    };
    let revision = (1 << 52) + u64::from(number);
    let begin =
        format!(r#"{{"v":1,"rev":{revision},"created":{since},{owner}"data":{{"cart":{{"text":""#);
    // As text that does not repeat itself, since PostgreSQL compresses what is long.
    let mut random = fastrand::Rng::with_seed(u64::from(number));
    let text = std::iter::repeat_with(|| random.alphanumeric());
    let text: String = text.take(bytes - begin.len() - "\"}}}".len()).collect();
    let json = format!("{begin}{text}\"}}}}}}");
    assert_eq!(json.len(), bytes);
    let record = Record::from_json(json.as_bytes()).unwrap();
    assert_eq!(record.to_json(), json);
    Stored {
        record,
        expires: now.plus(Duration::from_hours(24)),
    }
}

/// Holds what was measured against the page, which rounds.
fn compare(store: &str, measured: &[(&str, i64)]) {
    let mut wrong = Vec::new();
    for (kind, bytes) in measured {
        let (measured, said) = (bytes / i64::from(SESSIONS), said(store, kind));
        eprintln!("{store}: {kind}: {measured} bytes, {said} by the page");
        if (measured - said).abs() * 10 > said {
            wrong.push((kind, measured));
        }
    }
    assert!(wrong.is_empty(), "{store}: {wrong:?}");
}

/// What the table of the page says.
fn said(store: &str, kind: &str) -> i64 {
    let page = page();
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = page.lines().map(cells);
    let head = lines.find(|cells| cells[0] == "a session of").unwrap();
    let row = lines.find(|cells| cells[0] == kind).unwrap();
    let column = head.iter().position(|cell| cell == store).unwrap();
    row[column].replace(',', "").parse().unwrap()
}
