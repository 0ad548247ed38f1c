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
    include_str!("../../../migrations/postgres/0003_audit.sql"),
    include_str!("../../../migrations/postgres/0004_business.sql"),
    include_str!("../../../migrations/postgres/0005_requests.sql"),
    include_str!("../../../migrations/postgres/0006_console.sql"),
    include_str!("../../../migrations/postgres/0007_report_codes.sql"),
    include_str!("../../../migrations/postgres/0008_retention.sql"),
    include_str!("../../../migrations/postgres/0009_tallies.sql"),
    include_str!("../../../migrations/postgres/0010_suspended_by_caja.sql"),
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

#[cfg(test)]
mod tests {
    use hanna_cluster::Cluster;

    use super::*;
    use crate::audit::chain::Head;
    use crate::store::AuditStore as _;
    use crate::store::postgres::PostgresStore;
    use crate::store::postgres::address::Address;

    /// A row in every table that acts refer to.
    const RECORDED: &str = "
        INSERT INTO accounts VALUES (gen_random_uuid(), 'ana', 'ana', 'ANA', NULL, '', 'ACTIVE');
        INSERT INTO devices VALUES (gen_random_uuid(), 'PC', now(), now(), now(), NULL);
        INSERT INTO sessions SELECT gen_random_uuid(), a.id, d.id, '2026-01-01', 1, now() FROM accounts a, devices d;
        INSERT INTO signing_keys (kid, pkcs8, public_key, not_before, not_after)
            VALUES ('k', '', decode(repeat('00', 32), 'hex'), '2026-01-02', '2027-01-02');
        INSERT INTO lookups SELECT gen_random_uuid(), a.id, d.id, a.id, a.id, decode(repeat('00', 32), 'hex'), 'p', now(), false
            FROM accounts a, devices d;
        INSERT INTO statements SELECT gen_random_uuid(), id, '2026-01-03', '2026-01-04', true, '{}' FROM lookups;
        INSERT INTO outbox_items SELECT gen_random_uuid(), decode(repeat('00', 32), 'hex'), 'void', 1, account_id, device_id,
            account_id, now(), '2026-01-06', '2026-01-06', 1, 'refused', 'VOID_NOT_ALLOWED' FROM lookups;
        INSERT INTO earlier_refusals SELECT id, 0, '2026-01-05', 'VOID_NOT_ALLOWED' FROM outbox_items;";

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_recorded_before_there_was_an_audit_is_in_it() {
        let cluster = Cluster::start().expect("a cluster");
        let address: Address = cluster.make("hanna").expect("a database").parse().expect("an address");
        let before = Connections::new(&address).expect("connections");
        before.write(|tx| Box::pin(run(tx, &STEPS[..2]))).await.expect("the schema of before");
        cluster.sql("hanna", RECORDED).expect("recorded");
        let (store, opened) = PostgresStore::open(&address).await.expect("opened");
        assert_eq!((opened.schema_before, opened.schema), (2, newest()));
        assert_eq!(store.strays(10).await.expect("asked"), []);
        let entries = store.unsealed(Head::NONE, 10).await.expect("asked").entries;
        let words: Vec<&str> = entries.iter().map(|entry| entry.act.as_str()).collect();
        assert_eq!(words, ["SIGN_IN", "KEY_MADE", "LOOKUP", "ITEM", "ITEM"]);
        assert!(entries.iter().all(|entry| entry.record.is_some()));
    }
}
