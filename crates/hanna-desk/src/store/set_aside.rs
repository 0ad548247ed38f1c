//! Outboxes that could not be opened: moved out of the way, whole, and read again as far as they can be.
//!
//! | name | is |
//! |---|---|
//! | `outbox.sqlite.apartado-…` | set aside; nothing was brought back yet |
//! | `outbox.sqlite.recuperado-…` | the same file, unchanged, after what could be read was brought back |
//!
//! A file set aside is never written to: a copy is read. A page that is damaged costs what stands on it, not more.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params};

use hanna_domain::Cause;
use hanna_domain::outbox::{ItemCode, ItemState};

use super::item::{COLUMNS, ItemRow, insert_body, read_row};
use super::open::{keyed, migrate};
use super::outbox::{FILE, PLAN};
use super::{DatabaseKey, OutboxStore, StoreError, millis};
use crate::view::Recovered;

const ASIDE: &str = ".apartado-";
const BROUGHT_BACK: &str = ".recuperado-";
/// How many sequences in a row are tried that cannot be read: more than a page that leads to others leads to.
const UNREADABLE_MAX: u32 = 2_000;

/// Moves a damaged database and what belongs to it out of the way, whole, under a name with the time.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let stamp = now.strftime("%Y%m%dT%H%M%S%3fZ");
    let kept = with_suffix(path, &format!("{ASIDE}{stamp}"));
    move_whole(path, &kept)?;
    Ok(kept)
}

/// The outboxes in `folder` that were set aside and from which nothing was brought back yet, the oldest first.
pub fn set_aside_in(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let begin = format!("{FILE}{ASIDE}");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begin) && !name.ends_with("-wal") && !name.ends_with("-shm") {
            found.push(folder.join(name.as_ref()));
        }
    }
    found.sort();
    Ok(found)
}

/// Notes by its name that what could be read of a file was brought back. A file of another name is left as it is.
pub fn note_brought_back(path: &Path) -> Result<(), StoreError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !name.starts_with(&format!("{FILE}{ASIDE}")) {
        return Ok(());
    }
    move_whole(path, &path.with_file_name(name.replacen(ASIDE, BROUGHT_BACK, 1)))
}

/// Moves a database, and its log first: the one that takes its place must not meet it.
fn move_whole(from: &Path, to: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm"] {
        let beside = with_suffix(from, suffix);
        if beside.exists() {
            fs::rename(beside, with_suffix(to, suffix))?;
        }
    }
    Ok(fs::rename(from, to)?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// An item of another outbox, with what [`ItemRow`] leaves out.
#[derive(Debug)]
struct Salvaged {
    row: ItemRow,
    settled_at: Option<i64>,
    withdrawn_why: Option<String>,
}

impl OutboxStore {
    /// Adds what can be read of the outbox at `path` and is not here. `scratch` is a folder for its copy, which is gone
    /// afterwards.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when nothing can be read: damaged at its beginning, or of another key;
    /// [`StoreError::Newer`] when a newer program laid it out in a way this one does not know. Nothing was added then.
    pub fn bring_back(
        &self,
        path: &Path,
        key: &DatabaseKey,
        scratch: &Path,
    ) -> Result<Recovered, StoreError> {
        fs::create_dir(scratch)?;
        let salvaged = salvage(path, key, scratch);
        // It is encrypted as the original is; left behind it costs space and nothing else.
        let _ = fs::remove_dir_all(scratch);
        let (items, is_damaged) = salvaged?;
        let mut recovered = Recovered { is_damaged, ..Recovered::default() };
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let lowest: i64 =
            transaction
                .query_row("SELECT MIN(COALESCE(MIN(sequence), 0), 0) FROM item", [], |row| row.get(0))?;
        // Before everything that is here, and in the order in which they were recorded.
        for (below, salvaged) in (1..).zip(items.iter().rev()) {
            if add(&transaction, salvaged, lowest - below)? {
                recovered.added += 1;
            } else {
                recovered.already_there += 1;
            }
        }
        transaction.commit()?;
        self.users.forget();
        Ok(recovered)
    }
}

/// Inserts an item as it stood, except that nobody is sending it. `false`: it is here, or another one for the same card.
fn add(db: &Connection, salvaged: &Salvaged, sequence: i64) -> Result<bool, StoreError> {
    let Salvaged { row, settled_at, withdrawn_why } = salvaged;
    let item = &row.item;
    let state = if row.state == ItemState::Sending { ItemState::Queued } else { row.state };
    let added = db
        .prepare_cached(
            "INSERT INTO item (sequence, recorded_sequence, id, kind, state, code, submission, lookup_id, report_id,
                 author_id, author_name, branch_id, branch_name, document_kind, document_number, affiliate_name,
                 tariff, company_name, device_time, occurred_at, attempts, last_cause, next_attempt_at,
                 settled_at, withdrawn_why)
             VALUES (:sequence, :recorded, :id, :kind, :state, :code, :submission, :lookup, :report, :author,
                 :author_name, :branch, :branch_name, :document_kind, :document_number, :affiliate_name, :tariff,
                 :company, :device_time, :occurred_at, :attempts, :cause, 0, :settled, :why)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":sequence": sequence,
            ":recorded": row.recorded_sequence.unwrap_or(row.sequence),
            ":id": item.id,
            ":kind": item.kind().code(),
            ":state": state.code(),
            ":code": row.code.map(ItemCode::code),
            ":submission": row.submission,
            ":lookup": item.lookup_id,
            ":report": item.report_id(),
            ":author": item.author_id,
            ":author_name": item.author_name,
            ":branch": item.branch_id,
            ":branch_name": item.branch_name,
            ":document_kind": item.document.kind().code(),
            ":document_number": item.document.number(),
            ":affiliate_name": item.usage.as_ref().map(|usage| &usage.affiliate_name),
            ":tariff": item.usage.as_ref().map(|usage| usage.tariff.code()),
            ":company": item.usage.as_ref().and_then(|usage| usage.company_name.as_ref()),
            ":device_time": millis(item.device_time),
            ":occurred_at": millis(item.occurred_at),
            ":attempts": row.attempts,
            ":cause": row.last_cause.map(Cause::code),
            ":settled": settled_at,
            ":why": withdrawn_why,
        })?;
    if added == 1 {
        insert_body(db, sequence, &item.body)?;
    }
    Ok(added == 1)
}

/// Every item of the outbox at `path` that can be read, in its order, and whether some could not.
fn salvage(path: &Path, key: &DatabaseKey, scratch: &Path) -> Result<(Vec<Salvaged>, bool), StoreError> {
    let copy = scratch.join(FILE);
    fs::copy(path, &copy)?;
    let log = with_suffix(path, "-wal");
    if log.exists() {
        fs::copy(log, with_suffix(&copy, "-wal"))?;
    }
    let mut db = careful(&copy, key)?;
    let query = layout(&mut db)?;
    let mut items = Vec::new();
    let (mut next, mut is_damaged, mut in_a_row) = (1, false, 0);
    if let Ok(first) = db.query_row("SELECT MIN(sequence) FROM item NOT INDEXED", [], |row| row.get(0)) {
        next = Option::unwrap_or(first, 1);
    } else {
        (db, is_damaged) = (careful(&copy, key)?, true);
    }
    while in_a_row < UNREADABLE_MAX {
        match read_from(&db, &query, next) {
            Ok(Some((sequence, salvaged))) => {
                in_a_row = 0;
                // What holds words of another program is left where it is.
                is_damaged |= salvaged.is_none();
                items.extend(salvaged);
                next = sequence + 1;
            }
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(%error, sequence = next, "an item that was set aside cannot be read");
                (is_damaged, in_a_row, next) = (true, in_a_row + 1, next + 1);
                // The cipher answers nothing more over a connection that met a damaged page.
                db = careful(&copy, key)?;
            }
        }
    }
    if items.is_empty() && is_damaged { Err(StoreError::Unreadable) } else { Ok((items, is_damaged)) }
}

/// A connection to a file that may be damaged.
fn careful(copy: &Path, key: &DatabaseKey) -> Result<Connection, StoreError> {
    let db = keyed(copy, key)?;
    let careful = "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;";
    db.execute_batch(careful).map_err(|_| StoreError::Unreadable)?;
    Ok(db)
}

/// How items are asked for, by what their table is like. Columns are never given another meaning, so one of a newer program
/// can be read by those this one knows. The first layout has to be carried over, which needs it whole.
fn layout(db: &mut Connection) -> Result<String, StoreError> {
    let found: i64 =
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|_| StoreError::Unreadable)?;
    if found == 1 {
        migrate(db, found, PLAN.migrations).map_err(|_| StoreError::Unreadable)?;
    }
    let query = |columns: &str| {
        format!(
            "SELECT {columns}, settled_at, withdrawn_why FROM item NOT INDEXED WHERE sequence >= ?1
             ORDER BY sequence LIMIT 1"
        )
    };
    // As long as the body stood in its item, and before anything could be brought back.
    let (_, beside) = COLUMNS.split_once(" AS body").unwrap_or_default();
    let whole = format!("body{beside}");
    let first = whole.replace("recorded_sequence", "NULL AS recorded_sequence");
    let known = i64::try_from(PLAN.migrations.len()).unwrap_or(i64::MAX);
    let mut asked = [query(COLUMNS), query(&whole), query(&first)].into_iter();
    asked.find(|query| db.prepare(query).is_ok()).ok_or(if found > known {
        StoreError::Newer { found, known }
    } else {
        StoreError::Unreadable
    })
}

/// The first item from `sequence` on, with its own sequence; without what cannot be understood of it.
fn read_from(
    db: &Connection,
    query: &str,
    sequence: i64,
) -> Result<Option<(i64, Option<Salvaged>)>, rusqlite::Error> {
    db.prepare_cached(query)?
        .query_row([sequence], |row| {
            let salvaged = match read_row(row) {
                Ok(item) => Some(Salvaged {
                    row: item,
                    settled_at: row.get("settled_at")?,
                    withdrawn_why: row.get("withdrawn_why")?,
                }),
                Err(error) => {
                    tracing::error!(%error, "an item that was set aside cannot be understood");
                    None
                }
            };
            Ok((row.get("sequence")?, salvaged))
        })
        .optional()
}
