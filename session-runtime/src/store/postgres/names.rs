//! Checks the names of schema and tables, and puts them into SQL; knows no connection.

use super::error::PostgresConfigError;

/// What PostgreSQL keeps of an identifier; it cuts off the rest in silence.
const MAX_BYTES: usize = 63;

/// The name that the SQL of this crate is written with, in the place of the user's.
const SCHEMA: &str = "sessile";

/// The longest name that a prefix is put before.
const LONGEST: &str = "session_expires";

/// Where the tables are. Every name is a plain identifier, or there is no `Names`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    schema: String,
    prefix: String,
}

impl Names {
    pub(super) fn in_schema(self, schema: String) -> Result<Self, PostgresConfigError> {
        if !is_plain(&schema) || schema.len() > MAX_BYTES {
            return Err(PostgresConfigError::Schema);
        }
        Ok(Self { schema, ..self })
    }

    pub(super) fn with_prefix(self, prefix: String) -> Result<Self, PostgresConfigError> {
        let is_plain = prefix.is_empty() || is_plain(&prefix);
        if !is_plain || prefix.len() + LONGEST.len() > MAX_BYTES {
            return Err(PostgresConfigError::Prefix);
        }
        Ok(Self { prefix, ..self })
    }

    /// Puts these names in the place of those that SQL of this crate is written with. There, what
    /// stands between double quotes is a name, and nothing else is.
    pub(super) fn put_into(&self, sql: &str) -> String {
        let mut written = String::with_capacity(sql.len() + 64);
        for (turn, part) in sql.split('"').enumerate() {
            if turn % 2 == 0 {
                written.push_str(part);
                continue;
            }
            written.push('"');
            if part == SCHEMA {
                written.push_str(&self.schema);
            } else {
                written.push_str(&self.prefix);
                written.push_str(part);
            }
            written.push('"');
        }
        written
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            prefix: String::new(),
        }
    }
}

/// Lowercase letters, digits and underscores, no digit first: what needs no quotes, and means the
/// same with them.
fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && name.starts_with(|first: char| !first.is_ascii_digit())
}
