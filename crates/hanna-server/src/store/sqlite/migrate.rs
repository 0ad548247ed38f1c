//! Brings a database to the schema of this program: numbered SQL files and SQLite's `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use crate::store::{Result, StoreError};

/// The steps, in order. The place in this list is the number: none can be skipped, and none may ever be changed once
/// it was released.
const STEPS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_offline_trust.sql"),
    include_str!("../../../migrations/sqlite/0003_device_time.sql"),
    include_str!("../../../migrations/sqlite/0004_accounts.sql"),
    include_str!("../../../migrations/sqlite/0005_audit.sql"),
    include_str!("../../../migrations/sqlite/0006_business.sql"),
    include_str!("../../../migrations/sqlite/0007_requests.sql"),
    include_str!("../../../migrations/sqlite/0008_console.sql"),
    include_str!("../../../migrations/sqlite/0009_report_codes.sql"),
    include_str!("../../../migrations/sqlite/0010_retention.sql"),
    include_str!("../../../migrations/sqlite/0011_tallies.sql"),
    include_str!("../../../migrations/sqlite/0012_suspended_by_caja.sql"),
];

/// The schema of this program.
pub fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Runs the steps that are missing, each in its own transaction, and returns the version found before.
///
/// # Errors
/// [`StoreError::Newer`] when the database is of a newer program: it is left as it is.
pub fn migrate(db: &mut Connection) -> Result<i64> {
    run(db, STEPS)
}

fn run(db: &mut Connection, steps: &[&str]) -> Result<i64> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let before = version(db)?;
    loop {
        // Read again under the lock: two processes may start at once.
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let found = version(&tx)?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        let Some(step) = usize::try_from(found).ok().and_then(|found| steps.get(found)) else {
            return Ok(before);
        };
        tx.execute_batch(step).map_err(fault)?;
        tx.pragma_update(None, "user_version", found + 1).map_err(fault)?;
        tx.commit().map_err(fault)?;
    }
}

/// The version of the database's schema; 0 when it is empty.
pub fn version(db: &Connection) -> Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::chain::Head;
    use crate::store::sqlite::audit;

    const A: &str = "CREATE TABLE a (x INTEGER NOT NULL) STRICT;";
    const B: &str = "CREATE TABLE b (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (1);";

    #[test]
    fn steps_run_once_each_and_in_order() {
        let mut db = Connection::open_in_memory().expect("in memory");
        assert_eq!(run(&mut db, &[A]).expect("migrated"), 0);
        assert_eq!(run(&mut db, &[A, B]).expect("migrated"), 1);
        assert_eq!(run(&mut db, &[A, B]).expect("nothing to do"), 2);
        let rows: i64 = db.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).expect("a row");
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut db = Connection::open_in_memory().expect("in memory");
        assert!(
            run(&mut db, &[A, "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"]).is_err()
        );
        assert_eq!(version(&db).expect("a version"), 1);
        assert_eq!(run(&mut db, &[A, B]).expect("migrated"), 1);
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let mut db = Connection::open_in_memory().expect("in memory");
        db.pragma_update(None, "user_version", newest() + 1).expect("set");
        let refused = migrate(&mut db);
        assert!(matches!(refused, Err(StoreError::Newer { found, known }) if found == known + 1));
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("a count");
        assert_eq!(tables, 0);
    }

    #[test]
    fn a_first_schema_with_data_keeps_them_and_gets_the_usual_terms() {
        let mut db = Connection::open_in_memory().expect("in memory");
        run(&mut db, &STEPS[..1]).expect("migrated");
        db.execute_batch(
            "INSERT INTO entities VALUES (zeroblob(16), '1', 'E');
             INSERT INTO agreements VALUES (zeroblob(16), zeroblob(16), 'C', '2026-01-01', '2026-12-31', '[]', '[]', 1,
                 'NOTE', 24);
             INSERT INTO devices VALUES (zeroblob(16), 'PC', 1, 2);",
        )
        .expect("written");
        assert_eq!(migrate(&mut db).expect("migrated"), 1);
        let terms: (i64, i64, i64) = db
            .query_row(
                "SELECT void_window_min, offline_days_max, retention_days FROM agreements",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("the agreement");
        assert_eq!(terms, (1440, 7, 30));
        let device: (i64, Option<i64>) = db
            .query_row("SELECT last_contact_us, revoked_us FROM devices", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("the device");
        assert_eq!(device, (2, None));
    }

    #[test]
    fn what_was_recorded_before_there_was_an_audit_is_in_it() {
        let mut db = Connection::open_in_memory().expect("in memory");
        run(&mut db, &STEPS[..4]).expect("migrated");
        db.execute_batch(
            "INSERT INTO accounts VALUES (randomblob(16), 'ana', 'ana', 'ANA', NULL, '', 'ACTIVE');
             INSERT INTO entities SELECT id, '1', 'E' FROM accounts;
             INSERT INTO branches SELECT id, id, 'A', 'Sede A', 'Cali' FROM accounts;
             INSERT INTO devices (id, name, first_seen_us, last_seen_us, last_contact_us)
                 VALUES (randomblob(16), 'PC', 1, 1, 1);
             INSERT INTO sessions SELECT randomblob(16), a.id, d.id, 1, 1, 1, NULL, NULL FROM accounts a, devices d;
             INSERT INTO signing_keys VALUES ('k', x'00', zeroblob(32), 2, 9);
             INSERT INTO lookups SELECT randomblob(16), a.id, d.id, a.id, a.id, zeroblob(32), 'p', 1, 0
                 FROM accounts a, devices d;
             INSERT INTO statements SELECT randomblob(16), id, 3, 4, 1, '[]' FROM lookups;
             INSERT INTO outbox_items (id, content_hash, kind, sequence, author_id, device_id, sent_by, received_us,
                                       judged_us, outcome, code, submission, device_us)
                 SELECT randomblob(16), zeroblob(32), 'void', 1, account_id, device_id, account_id, 6, 6, 'refused',
                        'VOID_NOT_ALLOWED', 1, 6 FROM lookups;
             INSERT INTO earlier_refusals (item_id, submission, judged_us, code)
                 SELECT id, 0, 5, 'VOID_NOT_ALLOWED' FROM outbox_items;",
        )
        .expect("written");
        assert_eq!(migrate(&mut db).expect("migrated"), 4);
        assert_eq!(audit::strays(&db, 10).expect("asked"), []);
        let entries = audit::unsealed(&db, Head::NONE, 10).expect("asked").entries;
        let words: Vec<&str> = entries.iter().map(|entry| entry.act.as_str()).collect();
        assert_eq!(words, ["SIGN_IN", "KEY_MADE", "LOOKUP", "ITEM", "ITEM"]);
        assert!(entries.iter().all(|entry| entry.record.is_some()));
    }

    #[test]
    fn the_real_schema_holds_together() {
        let mut db = Connection::open_in_memory().expect("in memory");
        migrate(&mut db).expect("migrated");
        let loose: i64 = db
            .query_row(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
                [],
                |row| row.get(0),
            )
            .expect("a count");
        assert_eq!(loose, 0, "every table is STRICT");
        let broken = db.prepare("PRAGMA foreign_key_check").expect("a query").exists([]).expect("run");
        assert!(!broken);
    }
}
