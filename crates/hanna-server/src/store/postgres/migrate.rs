//! Brings a database to the schema of this program: numbered SQL files and a table with one number.

use super::columns::Columns;
use super::fault::{Done, Trouble};
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use crate::store::{Result, StoreError};

/// The steps, in order. The place in this list is the number: none can be skipped, and none may ever be changed once
/// it was released.
const STEPS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_first.sql"),
    include_str!("../../../migrations/postgres/0002_accounts.sql"),
    include_str!("../../../migrations/postgres/0003_business.sql"),
    include_str!("../../../migrations/postgres/0004_requests.sql"),
];

/// The schema of this program.
pub fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Runs the steps that are missing, all in one transaction, and returns the version found before. Processes that start
/// at once wait for each other.
///
/// # Errors
/// [`StoreError::Newer`] when the database is of a newer program: it is left as it is.
pub async fn migrate(connections: &Connections) -> Result<i64> {
    let found = connections.write(|tx| Box::pin(run(tx, STEPS))).await?;
    let known = newest();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

/// The version of the database's schema.
pub async fn version(tx: &Tx) -> Done<i64> {
    tx.row("SELECT version FROM schema_version", &[]).await?.value(0)
}

async fn run(tx: &Tx, steps: &[&str]) -> Done<i64> {
    locks::hold(tx, Name::of("schema", &[])).await?;
    if tx.row("SELECT to_regclass('schema_version') IS NULL", &[]).await?.value(0)? {
        tx.batch(
            "CREATE TABLE schema_version (version bigint NOT NULL); INSERT INTO schema_version VALUES (0)",
        )
        .await?;
    }
    let found = version(tx).await?;
    let done = usize::try_from(found).map_err(|error| Trouble::Unreadable(error.into()))?;
    for step in steps.iter().skip(done) {
        tx.batch(step).await?;
    }
    if done < steps.len() {
        let now = i64::try_from(steps.len()).map_err(|error| Trouble::Unreadable(error.into()))?;
        tx.execute("UPDATE schema_version SET version = $1", &[&now]).await?;
    }
    Ok(found)
}
