//! `cache.sqlite`: statements, reference data, the lookups of this shift.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hanna_domain::{Document, Statement, Verdict};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::open::{Plan, open};
use super::{DatabaseKey, StoreError, millis, time};
use crate::tray::RECENT_MAX;
use crate::view::RecentLookup;

/// The file's name in the data folder.
pub(super) const FILE: &str = "cache.sqlite";

const PLAN: Plan = Plan {
    synchronous: "NORMAL",
    // Room for a hundred thousand people; only what was read takes any.
    cache_kib: 192 * 1024,
    check_whole: false,
    migrations: &[
        include_str!("migrations/cache-001.sql"),
        include_str!("migrations/cache-002.sql"),
        include_str!("migrations/cache-003.sql"),
    ],
};

/// After how many writes the log is carried over into the database.
const WRITES_PER_CHECKPOINT: u32 = 500;

/// The disposable database.
///
/// One connection reads and writes: it knows its own writes, where a second one would throw all its decrypted pages away
/// after each of them. Nothing that waits for the disk runs on it, so that a lookup never waits: with `synchronous =
/// NORMAL` a commit flushes nothing, and the checkpoint, which does, has a connection of its own.
#[derive(Debug)]
pub struct CacheStore {
    db: Mutex<Connection>,
    checkpointer: Mutex<Connection>,
    writes: AtomicU32,
}

impl CacheStore {
    pub(super) fn open(path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        let db = open(path, key, &PLAN)?;
        db.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216")?;
        let checkpointer = Mutex::new(open(path, key, &PLAN)?);
        Ok(Self { db: Mutex::new(db), checkpointer, writes: AtomicU32::new(0) })
    }

    pub(super) fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, and sees to the log now and then.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let changed = change(&mut self.db())?;
        if self.writes.fetch_add(1, Ordering::Relaxed) % WRITES_PER_CHECKPOINT == WRITES_PER_CHECKPOINT - 1 {
            let checkpointer = self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner);
            checkpointer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        }
        Ok(changed)
    }

    /// Keeps the statement as the copy for its person and branch, unless a newer one is there. `visited_at`: the person
    /// was consulted then; none when nobody asked, and it was only verified again.
    pub fn keep_statement(
        &self,
        statement: &Statement,
        jws: &str,
        visited_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(|db| {
            db.prepare_cached(
                "INSERT INTO statement (branch_id, document_kind, document_number, jws, issued_at, valid_until, visited_at)
                 VALUES (:branch, :kind, :number, :jws, :issued, :until, COALESCE(:visited, 0))
                 ON CONFLICT (document_number, document_kind, branch_id) DO UPDATE
                 SET jws = excluded.jws, issued_at = excluded.issued_at, valid_until = excluded.valid_until,
                     visited_at = MAX(statement.visited_at, excluded.visited_at)
                 WHERE excluded.issued_at >= statement.issued_at",
            )?
            .execute(named_params! {
                ":branch": statement.branch_id,
                ":kind": statement.document.kind().code(),
                ":number": statement.document.number(),
                ":jws": jws,
                ":issued": millis(statement.iat),
                ":until": millis(statement.exp),
                ":visited": visited_at.map(millis),
            })?;
            Ok(())
        })
    }

    /// The copy for `document` at `branch_id`, as signed. `None` means that there is none, never that reading failed.
    pub fn statement(&self, document: &Document, branch_id: Uuid) -> Result<Option<String>, StoreError> {
        Ok(self
            .db()
            .prepare_cached(
                "SELECT jws FROM statement
                 WHERE document_number = :number AND document_kind = :kind AND branch_id = :branch",
            )?
            .query_row(
                named_params! {
                    ":number": document.number(),
                    ":kind": document.kind().code(),
                    ":branch": branch_id,
                },
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Keeps `content` under `name`.
    pub fn keep_reference<T: Serialize>(&self, name: &str, content: T) -> Result<(), StoreError> {
        let json = serde_json::to_string(&content).map_err(|error| StoreError::Failed(error.into()))?;
        self.write(|db| {
            db.execute(
                "INSERT INTO reference (name, content) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET content = excluded.content",
                (name, json),
            )?;
            Ok(())
        })
    }

    /// What was kept under `name`.
    pub fn reference<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let json: Option<String> = self
            .db()
            .query_row("SELECT content FROM reference WHERE name = ?1", [name], |row| row.get(0))
            .optional()?;
        json.map(|json| serde_json::from_str(&json).map_err(|_| StoreError::Content("reference"))).transpose()
    }

    /// Forgets what was kept under `name`.
    pub fn forget_reference(&self, name: &str) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute("DELETE FROM reference WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    /// Puts a lookup on the list of the last ones, or what is newer of one that stands there, and drops what is too old
    /// for the list.
    pub fn keep_recent(&self, lookup: &RecentLookup) -> Result<(), StoreError> {
        self.write(|db| {
        let transaction = db.transaction()?;
        transaction
            .prepare_cached(
                "INSERT INTO recent (lookup_id, at, document_masked, verdict, used) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (lookup_id) DO UPDATE SET verdict = excluded.verdict, used = excluded.used",
            )?
            .execute((
                lookup.lookup_id,
                millis(lookup.at),
                &lookup.document_masked,
                lookup.verdict.code(),
                lookup.used,
            ))?;
        transaction
            .prepare_cached(
                "DELETE FROM recent WHERE at < (SELECT at FROM recent ORDER BY at DESC LIMIT 1 OFFSET ?1)",
            )?
            .execute([RECENT_MAX])?;
        Ok(transaction.commit()?)
        })
    }

    /// Forgets every person and every operator, and overwrites where they stood.
    pub fn forget_people(&self) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute_batch(
                "PRAGMA secure_delete = ON;
                 BEGIN IMMEDIATE; DELETE FROM statement; DELETE FROM recent; DELETE FROM operator; DELETE FROM draft; COMMIT;
                 PRAGMA secure_delete = OFF;",
            )?;
            Ok(())
        })
    }

    /// Empties the list of the last lookups.
    pub fn forget_recent(&self) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute("DELETE FROM recent", [])?;
            Ok(())
        })
    }

    /// The last lookups, newest first.
    pub fn recent(&self) -> Result<Vec<RecentLookup>, StoreError> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT lookup_id, at, document_masked, verdict, used FROM recent
             ORDER BY at DESC, lookup_id DESC LIMIT ?1",
        )?;
        let mut rows = query.query([RECENT_MAX])?;
        let mut lookups = Vec::new();
        while let Some(row) = rows.next()? {
            let verdict: String = row.get(3)?;
            lookups.push(RecentLookup {
                lookup_id: row.get(0)?,
                at: time(row.get(1)?, "recent")?,
                document_masked: row.get(2)?,
                verdict: Verdict::from_code(&verdict).ok_or(StoreError::Content("recent"))?,
                used: row.get(4)?,
            });
        }
        Ok(lookups)
    }
}
