//! Imports that are followed. The turn is a lock of the system on a file beside the database: it ends with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use async_trait::async_trait;
use hanna_wire::admin::business::{ImportCounts, ImportJob, ImportState};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
#[cfg(unix)]
use super::give_to_the_folders_owner;
use super::{SqliteStore, audit, beside, failed};
use crate::audit::NewAct;
use crate::store::imports::REJECTS_KEPT;
use crate::store::{Act, ImportEnd, ImportStep, ImportTurn, Imports, NewImport, Put, Result};

/// Has not ended.
const UNDER_WAY: &str = "state IN ('RECEIVING', 'RUNNING')";

const JOB: &str = "
    SELECT j.id, j.state, j.mode, j.dry_run, j.file_name, j.bytes, j.bytes_read, j.lines, j.rejected, j.reason, j.added,
           j.updated, j.removed, j.began_us, j.ended_us, a.display_name
    FROM import_jobs j LEFT JOIN accounts a ON a.id = j.begun_by";

fn job(row: &Row<'_>) -> rusqlite::Result<ImportJob> {
    let count = |at: usize| row.get::<_, Option<i64>>(at).map(|count| count.map(i64::unsigned_abs));
    let counts = match (count(10)?, count(11)?, count(12)?) {
        (Some(added), Some(updated), Some(removed)) => Some(ImportCounts { added, updated, removed }),
        _ => None,
    };
    Ok(ImportJob {
        id: row.get(0)?,
        state: row.get::<_, Word<_>>(1)?.0,
        mode: row.get::<_, Word<_>>(2)?.0,
        dry_run: row.get(3)?,
        file_name: row.get(4)?,
        bytes: count(5)?.unwrap_or_default(),
        bytes_read: count(6)?.unwrap_or_default(),
        lines: count(7)?.unwrap_or_default(),
        rejected: count(8)?.unwrap_or_default(),
        reason: row.get(9)?,
        counts,
        began_at: row.get::<_, Micros>(13)?.0,
        ended_at: row.get::<_, Option<Micros>>(14)?.map(|at| at.0),
        by: row.get(15)?,
    })
}

/// Says inside the transaction that writes them that the people are in; `false` when the import was asked to stop.
pub fn done(
    tx: &Transaction<'_>,
    id: Uuid,
    counts: &ImportCounts,
    lines: u64,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let ImportCounts { added, updated, removed } = *counts;
    let said = tx.execute(
        "UPDATE import_jobs SET state = 'DONE', added = ?2, updated = ?3, removed = ?4, ended_us = ?5, lines = ?6,
             bytes_read = bytes
         WHERE id = ?1 AND state = 'RUNNING' AND cancel_us IS NULL",
        params![id, signed(added), signed(updated), signed(removed), Micros(now), signed(lines)],
    )?;
    if said == 1 {
        let act = NewAct::import_ended(id, Some(ImportState::Done), Some(*counts), now);
        audit::append(tx, &act)?;
    }
    Ok(said == 1)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn fail_interrupted(tx: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let sql =
        format!("UPDATE import_jobs SET state = 'FAILED', ended_us = ?1 WHERE {UNDER_WAY} RETURNING id");
    let failed: Vec<Uuid> =
        tx.prepare(&sql)?.query_map([Micros(now)], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in failed {
        audit::append(tx, &NewAct::import_ended(id, Some(ImportState::Failed), None, now))?;
    }
    Ok(())
}

fn begin(tx: &Transaction<'_>, new: &NewImport) -> rusqlite::Result<Put> {
    if tx.prepare("SELECT 1 FROM import_jobs WHERE id = ?1")?.exists([new.id])? {
        return Ok(Put::IdConflict);
    }
    let Act { by, now } = &new.act;
    fail_interrupted(tx, *now)?;
    tx.execute(
        "INSERT INTO import_jobs
             (id, state, mode, dry_run, file_name, bytes, bytes_read, lines, rejected, began_us, begun_by)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, ?6, ?7)",
        params![
            new.id,
            Word(new.state),
            Word(new.mode),
            new.dry_run,
            new.file_name,
            Micros(*now),
            by.account_id()
        ],
    )?;
    audit::append(tx, &NewAct::import_begun(new))?;
    Ok(Put::Done(()))
}

fn tell(tx: &Transaction<'_>, id: Uuid, step: ImportStep) -> rusqlite::Result<()> {
    let ImportStep { state, bytes, bytes_read, lines, rejected } = step;
    tx.execute(
        &format!(
            "UPDATE import_jobs SET state = ?2, bytes = ?3, bytes_read = ?4, lines = ?5, rejected = ?6
             WHERE id = ?1 AND ({UNDER_WAY} OR (state = 'DONE' AND ?2 = 'DONE'))"
        ),
        params![id, Word(state), signed(bytes), signed(bytes_read), signed(lines), signed(rejected)],
    )?;
    Ok(())
}

fn end(tx: &Transaction<'_>, id: Uuid, end: &ImportEnd) -> rusqlite::Result<()> {
    let ends =
        tx.prepare(&format!("SELECT 1 FROM import_jobs WHERE id = ?1 AND {UNDER_WAY}"))?.exists([id])?;
    tell(tx, id, end.step)?;
    let counts =
        end.counts.map(|counts| (signed(counts.added), signed(counts.updated), signed(counts.removed)));
    tx.execute(
        "UPDATE import_jobs SET added = ?3, updated = ?4, removed = ?5, reason = ?6, ended_us = ?7
         WHERE id = ?1 AND state = ?2",
        params![
            id,
            Word(end.step.state),
            counts.map(|counts| counts.0),
            counts.map(|counts| counts.1),
            counts.map(|counts| counts.2),
            end.reason,
            Micros(end.now)
        ],
    )?;
    if ends {
        audit::append(tx, &NewAct::import_ended(id, Some(end.step.state), end.counts, end.now))?;
    }
    tx.execute(
        "DELETE FROM import_rejects WHERE job_id IN (SELECT id FROM import_jobs WHERE began_us < ?1)",
        [Micros(end.now - REJECTS_KEPT)],
    )?;
    if let Some(csv) = &end.rejected_csv {
        tx.execute("INSERT OR REPLACE INTO import_rejects (job_id, csv) VALUES (?1, ?2)", params![id, csv])?;
    }
    Ok(())
}

fn forget(tx: &Transaction<'_>, id: Uuid, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM import_jobs WHERE id = ?1 AND state = ?2";
    if tx.execute(sql, params![id, Word(ImportState::Receiving)])? == 1 {
        audit::append(tx, &NewAct::import_ended(id, None, None, now))?;
    }
    Ok(())
}

fn cancel(tx: &Transaction<'_>, id: Uuid, who: &Act) -> rusqlite::Result<bool> {
    let sql =
        format!("UPDATE import_jobs SET cancel_us = ?2 WHERE id = ?1 AND cancel_us IS NULL AND {UNDER_WAY}");
    if tx.execute(&sql, params![id, Micros(who.now)])? == 1 {
        audit::append(tx, &NewAct::import_stopped(id, who))?;
    }
    tx.prepare("SELECT 1 FROM import_jobs WHERE id = ?1")?.exists([id])
}

fn jobs(
    tx: &Transaction<'_>,
    after: Option<(Timestamp, Uuid)>,
    limit: u32,
) -> rusqlite::Result<Vec<ImportJob>> {
    let (began, id) = after.map_or((None, None), |(at, id)| (Some(Micros(at)), Some(id)));
    tx.prepare_cached(&format!(
        "{JOB} WHERE ?1 IS NULL OR (j.began_us, j.id) < (?1, ?2) ORDER BY j.began_us DESC, j.id DESC LIMIT ?3"
    ))?
    .query_map(params![began, id, limit], job)?
    .collect()
}

/// The lock on the file beside the database; none when another has it.
fn turn(database: &Path) -> Result<Option<File>> {
    let mut path = database.as_os_str().to_owned();
    path.push(".import");
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let path = Path::new(&path);
    let file = options.open(path).map_err(failed)?;
    #[cfg(unix)]
    if let Err(error) = give_to_the_folders_owner(&file, path) {
        tracing::warn!(%error, "a lock that root made could not be given to the owner of its folder");
    }
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[async_trait]
impl Imports for SqliteStore {
    async fn import_turn(&self) -> Result<Option<ImportTurn>> {
        let path = self.path.clone();
        Ok(beside(move || turn(&path)).await?.map(ImportTurn::new))
    }

    async fn fail_interrupted_imports(&self, now: Timestamp) -> Result<()> {
        self.write(move |tx| fail_interrupted(tx, now)).await
    }

    async fn begin_import(&self, new: NewImport) -> Result<Put> {
        self.write(move |tx| begin(tx, &new)).await
    }

    async fn forget_import(&self, id: Uuid, now: Timestamp) -> Result<()> {
        self.write(move |tx| forget(tx, id, now)).await
    }

    async fn tell_import(&self, id: Uuid, step: ImportStep) -> Result<()> {
        self.write(move |tx| tell(tx, id, step)).await
    }

    async fn is_import_wanted(&self, id: Uuid) -> Result<bool> {
        let sql = format!("SELECT 1 FROM import_jobs WHERE id = ?1 AND cancel_us IS NULL AND {UNDER_WAY}");
        self.read(move |tx| tx.prepare_cached(&sql)?.exists([id])).await
    }

    async fn end_import(&self, id: Uuid, ending: ImportEnd) -> Result<()> {
        self.write(move |tx| end(tx, id, &ending)).await
    }

    async fn cancel_import(&self, id: Uuid, act: Act) -> Result<bool> {
        self.write(move |tx| cancel(tx, id, &act)).await
    }

    async fn import_job(&self, id: Uuid) -> Result<Option<ImportJob>> {
        let sql = format!("{JOB} WHERE j.id = ?1");
        self.read(move |tx| tx.prepare_cached(&sql)?.query_row([id], job).optional()).await
    }

    async fn import_jobs(&self, after: Option<(Timestamp, Uuid)>, limit: u32) -> Result<Vec<ImportJob>> {
        self.read(move |tx| jobs(tx, after, limit)).await
    }

    async fn rejected_lines(&self, id: Uuid) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT csv FROM import_rejects WHERE job_id = ?1";
        self.read(move |tx| tx.query_row(sql, [id], |row| row.get(0)).optional()).await
    }
}
