//! Makes the tables and brings them up to date; knows no session.

use deadpool_sqlite::rusqlite::{Connection, Result, TransactionBehavior};

use super::names::Prefix;

/// The schema under its usual names, as the docs print it.
const SCHEMA: &str = include_str!("schema.sql");

/// The schema that this version needs; the SQL notes it in a table of its own.
const VERSION: i64 = 1;

const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)";

const STANDS: &str = r#"SELECT coalesce(max(version), 0) FROM "sessile_schema""#;

/// The SQL that makes the tables of these names, or brings them up to date.
pub(super) fn sql(prefix: &Prefix) -> String {
    prefix.put_into(SCHEMA)
}

/// Makes the tables, or brings them up to date, unless they are.
pub(super) fn migrate(connection: &mut Connection, prefix: &Prefix) -> Result<()> {
    // Asked first, so that a file which nobody may write is no hindrance.
    if version(connection, prefix)? >= VERSION {
        return Ok(());
    }
    // Whoever migrates at the same time waits here, and then finds all of it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version(&transaction, prefix)? < VERSION {
        transaction.execute_batch(&sql(prefix))?;
    }
    transaction.commit()
}

fn version(connection: &Connection, prefix: &Prefix) -> Result<i64> {
    let is_there: bool =
        connection.query_one(IS_THERE, [prefix.name("schema")], |row| row.get(0))?;
    if !is_there {
        return Ok(0);
    }
    connection.query_one(&prefix.put_into(STANDS), [], |row| row.get(0))
}
