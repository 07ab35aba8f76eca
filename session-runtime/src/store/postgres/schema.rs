//! Makes the tables and brings them up to date; knows no session.

use deadpool_postgres::tokio_postgres::Client;

use super::super::StoreError;
use super::error;
use super::names::Names;

/// The schema under its usual names, as the docs print it.
const SCHEMA: &str = include_str!("schema.sql");

/// The schema that this version needs; the SQL notes it in the table's comment.
const VERSION: u32 = 2;

const STANDS: &str = r#"SELECT obj_description(to_regclass('"sessile"."session"'), 'pg_class')"#;

/// The SQL that makes the tables of these names, or brings them up to date.
pub(super) fn sql(names: &Names) -> String {
    names.put_into(SCHEMA)
}

/// Makes the tables, or brings them up to date, unless they are.
pub(super) async fn migrate(client: &Client, names: &Names) -> Result<(), StoreError> {
    // Asked first, as only the owner of the tables may make them, and to make an index waits for
    // every writer even where there is one already.
    let stands = client.query_one(&names.put_into(STANDS), &[]).await;
    let stands = stands.map_err(error::of_server)?;
    if version(stands.get(0)) >= VERSION {
        return Ok(());
    }
    // In one message, which is one transaction: whoever is cut off leaves none open.
    let made = client.batch_execute(&sql(names)).await;
    made.map_err(error::of_server)
}

fn version(comment: Option<&str>) -> u32 {
    let version = comment.and_then(|comment| comment.strip_prefix("sessile schema "));
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}
