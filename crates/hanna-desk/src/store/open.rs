//! Opening an encrypted database: one way for both.
//!
//! | pragma | why |
//! |---|---|
//! | `key` (raw) | before anything is read; 256 random bits need no derivation |
//! | `cipher_version` | must answer: a build without the cipher would silently write in clear |
//! | `journal_mode = WAL` | a commit is one flush; readers do not wait |
//! | `synchronous` | FULL for the outbox: a power cut cannot lose a commit; NORMAL for the cache |
//! | `foreign_keys`, `cell_size_check`, `trusted_schema = OFF` | no silent nonsense |
//! | `temp_store = MEMORY` | temporary files would not be encrypted |
//! | `busy_timeout` | the program is alone (a file lock), but backup tools look in |

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{DatabaseKey, StoreError};

/// What differs between the two databases.
pub(super) struct Plan {
    /// `FULL` or `NORMAL`.
    pub synchronous: &'static str,
    /// How many KiB of pages to keep decrypted in memory.
    pub cache_kib: u32,
    /// Whether to read the whole file at opening, so that damage anywhere shows before anything is added to it.
    pub check_whole: bool,
    /// The migrations, in order; the first one makes version 1. Never edited once released, only added to.
    pub migrations: &'static [&'static str],
}

/// Opens the database at `path` and brings it to the newest version.
pub(super) fn open(path: &Path, key: &DatabaseKey, plan: &Plan) -> Result<Connection, StoreError> {
    let mut db = keyed(path, key)?;
    // The first read of the file: here a wrong key or a damaged file shows.
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(plan.migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Failed(format!("journal mode stayed {mode}").into()));
    }
    db.execute_batch(&format!(
        "PRAGMA synchronous = {};
         PRAGMA cache_size = -{};
         PRAGMA foreign_keys = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA busy_timeout = 5000;",
        plan.synchronous, plan.cache_kib
    ))?;
    if plan.check_whole && found > 0 {
        check_whole(&db)?;
    }
    migrate(&mut db, found, plan.migrations)?;
    Ok(db)
}

/// A connection that has the key. Nothing was read yet.
pub(super) fn keyed(path: &Path, key: &DatabaseKey) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let db = Connection::open_with_flags(path, flags)?;
    // Before the key: what the cipher would write to standard error is returned as an error too.
    db.execute_batch("PRAGMA cipher_log_level = NONE")?;
    db.execute_batch(&key.pragma())?;
    if cipher_version(&db)?.is_empty() {
        return Err(StoreError::NoCipher);
    }
    Ok(db)
}

/// Applies what is missing, all of it or nothing.
pub(super) fn migrate(db: &mut Connection, found: i64, migrations: &[&str]) -> Result<(), StoreError> {
    let done = usize::try_from(found).map_err(|_| StoreError::Content("user_version"))?;
    let missing = migrations.get(done..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", migrations.len()))?;
    Ok(transaction.commit()?)
}

fn check_whole(db: &Connection) -> Result<(), StoreError> {
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Unreadable) }
}

fn cipher_version(db: &Connection) -> Result<String, rusqlite::Error> {
    let mut version = String::new();
    db.pragma_query(None, "cipher_version", |row| {
        version = row.get(0)?;
        Ok(())
    })?;
    Ok(version)
}
