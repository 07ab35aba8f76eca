//! One statement for each operation of a store; knows no connection.
//!
//! SQLite lets one write at a time, and each statement is a transaction of its own, so whatever a
//! statement that writes looks at is what stands.

use super::names::Prefix;

/// The statements, with the names of the user's tables.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) load: String,
    pub(super) load_and_touch: String,
    pub(super) insert: String,
    pub(super) replace: String,
    pub(super) rotate: String,
    pub(super) touch: String,
    pub(super) remove: String,
    pub(super) remove_expired: String,
    pub(super) remove_past: String,
    pub(super) owned_by: String,
    pub(super) mark: String,
    pub(super) marked: String,
}

impl Statements {
    pub(super) fn new(prefix: &Prefix) -> Self {
        Self {
            load: prefix.put_into(LOAD),
            load_and_touch: prefix.put_into(LOAD_AND_TOUCH),
            insert: prefix.put_into(INSERT),
            replace: prefix.put_into(REPLACE),
            rotate: prefix.put_into(ROTATE),
            touch: prefix.put_into(TOUCH),
            remove: prefix.put_into(REMOVE),
            remove_expired: prefix.put_into(REMOVE_EXPIRED),
            remove_past: prefix.put_into(REMOVE_PAST),
            owned_by: prefix.put_into(OWNED_BY),
            mark: prefix.put_into(MARK),
            marked: prefix.put_into(MARKED),
        }
    }
}

/// Of key and now: record and end.
const LOAD: &str = include_str!("sql/load.sql");

/// Of key, now, where the end may move to, how long after its creation it may be, and how far it has to
/// move: record and end, if it was moved.
const LOAD_AND_TOUCH: &str = include_str!("sql/load_and_touch.sql");

/// Of key, revision, end, creation, owners, record and now: a row if it was inserted.
const INSERT: &str = include_str!("sql/insert.sql");

/// Of key, expected revision, revision, end, creation, owners, record and now: whether it was replaced, and
/// what stands if it was not; no row if nothing stands.
///
/// `RETURNING` sees the row as it is afterwards, so whether the expected revision was there has to be
/// written into it. What does not match stays as it was.
const REPLACE: &str = include_str!("sql/replace.sql");

/// Of key, expected revision, new key, revision, end, creation, owners, record and now: a row as [`REPLACE`].
///
/// If the new key has a live session, the revision is to become null, which the table refuses: so
/// nothing is changed.
const ROTATE: &str = include_str!("sql/rotate.sql");

/// Of key, expected revision, end and now: a row if the session lives.
const TOUCH: &str = include_str!("sql/touch.sql");

/// Of key and now: whether it lived, if there was one.
const REMOVE: &str = include_str!("sql/remove.sql");

/// Of now and a limit: sessions that have ended.
const REMOVE_EXPIRED: &str = include_str!("sql/remove_expired.sql");

/// Of now and a limit: marks that are past.
const REMOVE_PAST: &str = include_str!("sql/remove_past.sql");

/// Of owner and now: keys, records and ends.
const OWNED_BY: &str = include_str!("sql/owned_by.sql");

/// Of owner, instant, until when, since when who asks is signed in, and now: the mark; no row if one
/// that stands is not before that.
const MARK: &str = include_str!("sql/mark.sql");

/// Of owner and now: the mark, if there is one.
const MARKED: &str = include_str!("sql/marked.sql");
