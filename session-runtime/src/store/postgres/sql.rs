//! One statement for each operation of a store; knows no connection.
//!
//! Each takes effect at once under `READ COMMITTED`, where all parts of a statement look at the rows
//! as they were when it began. A part that writes, or that locks, waits for other writers and looks
//! again at what they left; a part that only reads shows what was there before. So whatever is
//! answered as standing is read with a lock, and only where nothing was written.

use deadpool_postgres::tokio_postgres::types::Type;

use super::names::Names;

const KEY: Type = Type::BYTEA;
const REVISION: Type = Type::INT8;
const INSTANT: Type = Type::INT8;
const DURATION: Type = Type::INT8;
const OWNER: Type = Type::BYTEA;
const OWNERS: Type = Type::BYTEA_ARRAY;
const RECORD: Type = Type::BYTEA;
const LIMIT: Type = Type::INT8;

/// A statement and the types of its parameters.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) types: Vec<Type>,
}

/// The statements, with the names of the user's tables.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) load: Sql,
    pub(super) load_and_touch: Sql,
    pub(super) insert: Sql,
    pub(super) replace: Sql,
    pub(super) rotate: Sql,
    pub(super) touch: Sql,
    pub(super) remove: Sql,
    pub(super) remove_expired: Sql,
    pub(super) owned_by: Sql,
    pub(super) mark: Sql,
    pub(super) marked: Sql,
}

impl Statements {
    pub(super) fn new(names: &Names) -> Self {
        let sql = |text, types: &[Type]| Sql {
            text: names.put_into(text),
            types: types.to_vec(),
        };
        Self {
            load: sql(LOAD, &[KEY, INSTANT]),
            load_and_touch: sql(LOAD_AND_TOUCH, &[KEY, INSTANT, INSTANT, DURATION, DURATION]),
            insert: sql(
                INSERT,
                &[KEY, REVISION, INSTANT, INSTANT, OWNERS, RECORD, INSTANT],
            ),
            replace: sql(
                REPLACE,
                &[
                    KEY, REVISION, REVISION, INSTANT, INSTANT, OWNERS, RECORD, INSTANT,
                ],
            ),
            rotate: sql(
                ROTATE,
                &[
                    KEY, REVISION, KEY, REVISION, INSTANT, INSTANT, OWNERS, RECORD, INSTANT,
                ],
            ),
            touch: sql(TOUCH, &[KEY, REVISION, INSTANT, INSTANT]),
            remove: sql(REMOVE, &[KEY, INSTANT]),
            remove_expired: sql(REMOVE_EXPIRED, &[INSTANT, LIMIT]),
            owned_by: sql(OWNED_BY, &[OWNER, INSTANT]),
            mark: sql(MARK, &[OWNER, INSTANT, INSTANT, INSTANT, INSTANT]),
            marked: sql(MARKED, &[OWNER, INSTANT]),
        }
    }
}

/// Of key and now: record and end.
const LOAD: &str = include_str!("sql/load.sql");

/// Of key, now, where the end may move to, how long after its creation it may be, and how far it has to
/// move: record and end.
const LOAD_AND_TOUCH: &str = include_str!("sql/load_and_touch.sql");

/// Of key, revision, end, creation, owners, record and now: a row if it was inserted.
const INSERT: &str = include_str!("sql/insert.sql");

/// Of key, expected revision, revision, end, creation, owners, record and now: a row of nulls if it was
/// replaced, record and end of what stands if it was not, no row if nothing stands.
const REPLACE: &str = include_str!("sql/replace.sql");

/// Of key, expected revision, new key, revision, end, creation, owners, record and now: rows as [`REPLACE`].
///
/// If the new key has a live session, its revision is to become null, which the table refuses: so the
/// old session is not removed either.
const ROTATE: &str = include_str!("sql/rotate.sql");

/// Of key, expected revision, end and now: a row if the session lives.
const TOUCH: &str = include_str!("sql/touch.sql");

/// Of key and now: whether it lived, if there was one.
const REMOVE: &str = include_str!("sql/remove.sql");

/// Of now and a limit: how many sessions were removed. Marks go with them. What others have locked is
/// left for the next time.
const REMOVE_EXPIRED: &str = include_str!("sql/remove_expired.sql");

/// Of owner and now: keys, records and ends.
const OWNED_BY: &str = include_str!("sql/owned_by.sql");

/// Of owner, instant, until when, since when who asks is signed in, and now: the mark; no row if one
/// that stands is not before that.
const MARK: &str = include_str!("sql/mark.sql");

/// Of owner and now: the mark, if there is one.
const MARKED: &str = include_str!("sql/marked.sql");
