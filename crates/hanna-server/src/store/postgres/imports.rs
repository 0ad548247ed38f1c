//! Imports that are followed. The turn is a lock of a connection of its own: it ends with its process, or with the database.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_wire::admin::business::{ImportCounts, ImportJob, ImportState};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Columns, Moment};
use super::fault::Done;
use super::locks::Name;
use super::pool::Tx;
use super::{PostgresStore, audit};
use crate::audit::NewAct;
use crate::store::imports::REJECTS_KEPT;
use crate::store::words::Word;
use crate::store::{Act, ImportEnd, ImportStep, ImportTurn, Imports, NewImport, Put, Result};

const JOB: &str = "
    SELECT j.id, j.state, j.mode, j.dry_run, j.file_name, j.bytes, j.bytes_read, j.lines, j.rejected, j.reason, j.added,
           j.updated, j.removed, j.began_at, j.ended_at, a.display_name
    FROM import_jobs j LEFT JOIN accounts a ON a.id = j.begun_by";

fn job(row: &Row) -> Done<ImportJob> {
    let count = |at: usize| row.value::<i64>(at).map(i64::unsigned_abs);
    let changed = |at: usize| row.value::<Option<i64>>(at).map(|count| count.map(i64::unsigned_abs));
    let counts = match (changed(10)?, changed(11)?, changed(12)?) {
        (Some(added), Some(updated), Some(removed)) => Some(ImportCounts { added, updated, removed }),
        _ => None,
    };
    Ok(ImportJob {
        id: row.value(0)?,
        state: row.word(1)?,
        mode: row.word(2)?,
        dry_run: row.value(3)?,
        file_name: row.value(4)?,
        bytes: count(5)?,
        bytes_read: count(6)?,
        lines: count(7)?,
        rejected: count(8)?,
        reason: row.value(9)?,
        counts,
        began_at: row.moment(13)?,
        ended_at: row.value::<Option<Moment>>(14)?.map(|at| at.0),
        by: row.value(15)?,
    })
}

/// Says inside the transaction that writes them that the people are in; `false` when the import was asked to stop.
pub async fn done(tx: &Tx, id: Uuid, counts: &ImportCounts, lines: u64, now: Timestamp) -> Done<bool> {
    let ImportCounts { added, updated, removed } = *counts;
    let said = tx
        .execute(
            "UPDATE import_jobs SET state = 'DONE', added = $2, updated = $3, removed = $4, ended_at = $5, lines = $6,
                 bytes_read = bytes
             WHERE id = $1 AND state = 'RUNNING' AND cancel_at IS NULL",
            &[&id, &signed(added), &signed(updated), &signed(removed), &Moment(now), &signed(lines)],
        )
        .await?;
    if said == 1 {
        let act = NewAct::import_ended(id, Some(ImportState::Done), Some(*counts), now);
        audit::append(tx, &act).await?;
    }
    Ok(said == 1)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The name of the turn.
fn turn() -> Name {
    Name::of("the turn to import", &[])
}

async fn fail_interrupted(tx: &Tx, now: Timestamp) -> Done<()> {
    let sql = "UPDATE import_jobs SET state = 'FAILED', ended_at = $1 WHERE state IN ('RECEIVING', 'RUNNING')
               RETURNING id";
    for row in tx.rows(sql, &[&Moment(now)]).await? {
        let act = NewAct::import_ended(row.value(0)?, Some(ImportState::Failed), None, now);
        audit::append(tx, &act).await?;
    }
    Ok(())
}

async fn begin(tx: &Tx, new: &NewImport) -> Done<Put> {
    if tx.exists("SELECT 1 FROM import_jobs WHERE id = $1", &[&new.id]).await? {
        return Ok(Put::IdConflict);
    }
    let Act { by, now } = &new.act;
    fail_interrupted(tx, *now).await?;
    tx.execute(
        "INSERT INTO import_jobs
             (id, state, mode, dry_run, file_name, bytes, bytes_read, lines, rejected, began_at, begun_by)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, $6, $7)",
        &[
            &new.id,
            &Word(new.state),
            &Word(new.mode),
            &new.dry_run,
            &new.file_name,
            &Moment(*now),
            &by.account_id(),
        ],
    )
    .await?;
    audit::append(tx, &NewAct::import_begun(new)).await?;
    Ok(Put::Done(()))
}

async fn tell(tx: &Tx, id: Uuid, step: ImportStep) -> Done<()> {
    let ImportStep { state, bytes, bytes_read, lines, rejected } = step;
    tx.execute(
        "UPDATE import_jobs SET state = $2, bytes = $3, bytes_read = $4, lines = $5, rejected = $6
         WHERE id = $1 AND (state IN ('RECEIVING', 'RUNNING') OR (state = 'DONE' AND $2 = 'DONE'))",
        &[&id, &Word(state), &signed(bytes), &signed(bytes_read), &signed(lines), &signed(rejected)],
    )
    .await
    .map(drop)
}

async fn end(tx: &Tx, id: Uuid, end: &ImportEnd) -> Done<()> {
    let sql = "SELECT 1 FROM import_jobs WHERE id = $1 AND state IN ('RECEIVING', 'RUNNING') FOR UPDATE";
    let ends = tx.exists(sql, &[&id]).await?;
    tell(tx, id, end.step).await?;
    let counts =
        end.counts.map(|counts| (signed(counts.added), signed(counts.updated), signed(counts.removed)));
    tx.execute(
        "UPDATE import_jobs SET added = $3, updated = $4, removed = $5, reason = $6, ended_at = $7
         WHERE id = $1 AND state = $2",
        &[
            &id,
            &Word(end.step.state),
            &counts.map(|counts| counts.0),
            &counts.map(|counts| counts.1),
            &counts.map(|counts| counts.2),
            &end.reason,
            &Moment(end.now),
        ],
    )
    .await?;
    if ends {
        let act = NewAct::import_ended(id, Some(end.step.state), end.counts, end.now);
        audit::append(tx, &act).await?;
    }
    tx.execute(
        "DELETE FROM import_rejects WHERE job_id IN (SELECT id FROM import_jobs WHERE began_at < $1)",
        &[&Moment(end.now - REJECTS_KEPT)],
    )
    .await?;
    if let Some(csv) = &end.rejected_csv {
        let sql = "INSERT INTO import_rejects (job_id, csv) VALUES ($1, $2)
                   ON CONFLICT (job_id) DO UPDATE SET csv = excluded.csv";
        tx.execute(sql, &[&id, csv]).await?;
    }
    Ok(())
}

async fn forget(tx: &Tx, id: Uuid, now: Timestamp) -> Done<()> {
    let sql = "DELETE FROM import_jobs WHERE id = $1 AND state = $2";
    if tx.execute(sql, &[&id, &Word(ImportState::Receiving)]).await? == 1 {
        audit::append(tx, &NewAct::import_ended(id, None, None, now)).await?;
    }
    Ok(())
}

async fn cancel(tx: &Tx, id: Uuid, who: &Act) -> Done<bool> {
    let sql = "UPDATE import_jobs SET cancel_at = $2
               WHERE id = $1 AND cancel_at IS NULL AND state IN ('RECEIVING', 'RUNNING')";
    if tx.execute(sql, &[&id, &Moment(who.now)]).await? == 1 {
        audit::append(tx, &NewAct::import_stopped(id, who)).await?;
    }
    tx.exists("SELECT 1 FROM import_jobs WHERE id = $1", &[&id]).await
}

async fn jobs(tx: &Tx, after: Option<(Timestamp, Uuid)>, limit: u32) -> Done<Vec<ImportJob>> {
    let (began, id) = after.map_or((None, None), |(at, id)| (Some(Moment(at)), Some(id)));
    let sql = format!(
        "{JOB} WHERE $1::timestamptz IS NULL OR (j.began_at, j.id) < ($1, $2)
         ORDER BY j.began_at DESC, j.id DESC LIMIT $3"
    );
    tx.rows(&sql, &[&began, &id, &i64::from(limit)]).await?.iter().map(job).collect()
}

async fn one(tx: &Tx, id: Uuid) -> Done<Option<ImportJob>> {
    tx.row_or_none(&format!("{JOB} WHERE j.id = $1"), &[&id]).await?.as_ref().map(job).transpose()
}

#[async_trait]
impl Imports for PostgresStore {
    async fn import_turn(&self) -> Result<Option<ImportTurn>> {
        let held = async {
            let client = self.0.get().await?;
            let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&turn().0]).await?;
            // Held by its connection, which nobody else gets any more.
            Done::Ok(row.value::<bool>(0)?.then(|| Tx::on(client)))
        };
        Ok(held.await?.map(ImportTurn::new))
    }

    async fn fail_interrupted_imports(&self, now: Timestamp) -> Result<()> {
        self.0.write(move |tx| Box::pin(fail_interrupted(tx, now))).await
    }

    async fn begin_import(&self, new: NewImport) -> Result<Put> {
        let new = Arc::new(new);
        self.0
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move { begin(tx, &new).await })
            })
            .await
    }

    async fn forget_import(&self, id: Uuid, now: Timestamp) -> Result<()> {
        self.0.write(move |tx| Box::pin(forget(tx, id, now))).await
    }

    async fn tell_import(&self, id: Uuid, step: ImportStep) -> Result<()> {
        self.0.write(move |tx| Box::pin(tell(tx, id, step))).await
    }

    async fn is_import_wanted(&self, id: Uuid) -> Result<bool> {
        let sql = "SELECT 1 FROM import_jobs
                   WHERE id = $1 AND cancel_at IS NULL AND state IN ('RECEIVING', 'RUNNING')";
        self.0.ask(move |tx| Box::pin(async move { tx.exists(sql, &[&id]).await })).await
    }

    async fn end_import(&self, id: Uuid, ending: ImportEnd) -> Result<()> {
        let ending = Arc::new(ending);
        self.0
            .write(move |tx| {
                let ending = Arc::clone(&ending);
                Box::pin(async move { end(tx, id, &ending).await })
            })
            .await
    }

    async fn cancel_import(&self, id: Uuid, act: Act) -> Result<bool> {
        let act = Arc::new(act);
        self.0
            .write(move |tx| {
                let act = Arc::clone(&act);
                Box::pin(async move { cancel(tx, id, &act).await })
            })
            .await
    }

    async fn import_job(&self, id: Uuid) -> Result<Option<ImportJob>> {
        self.0.ask(move |tx| Box::pin(one(tx, id))).await
    }

    async fn import_jobs(&self, after: Option<(Timestamp, Uuid)>, limit: u32) -> Result<Vec<ImportJob>> {
        self.0.ask(move |tx| Box::pin(jobs(tx, after, limit))).await
    }

    async fn rejected_lines(&self, id: Uuid) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT csv FROM import_rejects WHERE job_id = $1";
        self.0
            .ask(move |tx| {
                Box::pin(
                    async move { tx.row_or_none(sql, &[&id]).await?.map(|row| row.value(0)).transpose() },
                )
            })
            .await
    }
}
