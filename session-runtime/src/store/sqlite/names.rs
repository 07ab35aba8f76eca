//! Checks the prefix of the tables' names, and puts it into SQL; knows no connection.

use super::error::SqliteConfigError;

/// The prefix that the SQL of this crate is written with, in the place of the user's.
const WRITTEN: &str = "sessile_";

/// As long as for the other stores. SQLite itself has no limit.
const MAX_BYTES: usize = 48;

/// Names that SQLite keeps for itself.
const RESERVED: &str = "sqlite_";

/// What the names of tables, indexes and triggers begin with: a plain identifier, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix(String);

impl Prefix {
    pub(super) fn new(prefix: String) -> Result<Self, SqliteConfigError> {
        let is_plain = prefix
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let begins_well = !prefix.starts_with(|first: char| first.is_ascii_digit())
            && !prefix.starts_with(RESERVED);
        if !is_plain || !begins_well || prefix.len() > MAX_BYTES {
            return Err(SqliteConfigError::Prefix);
        }
        Ok(Self(prefix))
    }

    /// Puts this prefix in the place of the one that SQL of this crate is written with: there, every
    /// name between double quotes begins with that.
    pub(super) fn put_into(&self, sql: &str) -> String {
        sql.replace(&format!("\"{WRITTEN}"), &format!("\"{}", self.0))
    }

    /// The name of a table.
    pub(super) fn name(&self, table: &str) -> String {
        format!("{}{table}", self.0)
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self(WRITTEN.to_owned())
    }
}
