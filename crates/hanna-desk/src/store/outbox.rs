//! `outbox.sqlite`: what this PC recorded, and what it knows of the server's clock.
//!
//! Every write is flushed to the disk before the call returns. State changes go through
//! `ItemState::after`: a row in a state that does not allow the event is left as it is.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hanna_domain::outbox::{Event, ItemCode, ItemKind, ItemState};
use hanna_domain::{Cause, ClockMark, Document, DocumentKind, Tariff};
use jiff::Timestamp;
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, named_params,
};
use uuid::Uuid;

use super::open::{Plan, open};
use super::{DatabaseKey, StoreError, millis, time};

/// The file's name in the data folder.
pub(super) const FILE: &str = "outbox.sqlite";

const PLAN: Plan = Plan {
    synchronous: "FULL",
    cache_kib: 8 * 1024,
    check_whole: true,
    migrations: &[include_str!("migrations/outbox-001.sql")],
};

/// The database that is never lost. Reading has a connection of its own, so that a lookup never waits for a flush.
#[derive(Debug)]
pub struct OutboxStore {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// What became of recording a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is on the disk.
    Recorded,
    /// Nothing was written: a use rests on this lookup already.
    LookupUsed,
    /// Nothing was written: the person has a use already.
    PersonUsed,
}

/// A use to be recorded.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The item's id, for ever.
    pub id: Uuid,
    /// What it is.
    pub kind: ItemKind,
    /// The lookup it rests on.
    pub lookup_id: Uuid,
    /// Who reports.
    pub author_id: Uuid,
    /// What the author is called.
    pub author_name: String,
    /// Where.
    pub branch_id: Uuid,
    /// What the branch is called.
    pub branch_name: String,
    /// Who used the benefit.
    pub document: Document,
    /// As signed.
    pub affiliate_name: String,
    /// As signed.
    pub tariff: Tariff,
    /// As signed.
    pub company_name: Option<String>,
    /// The JWS.
    pub statement: String,
    /// This PC's clock.
    pub device_time: Timestamp,
    /// Corrected to the server's.
    pub occurred_at: Timestamp,
}

/// An item as stored.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// This desk's count.
    pub sequence: i64,
    /// What was recorded.
    pub item: NewItem,
    /// How it stands.
    pub state: ItemState,
    /// Why the server noted or refused it.
    pub code: Option<ItemCode>,
    /// How often it was sent.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_cause: Option<Cause>,
    /// Not before this moment.
    pub next_attempt_at: Timestamp,
}

/// What became of an item that was being sent.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// The item.
    pub id: Uuid,
    /// What happened to it.
    pub event: Event,
    /// Why, for a note or a refusal.
    pub code: Option<ItemCode>,
    /// Why it is to be retried.
    pub cause: Option<Cause>,
    /// When it may be retried.
    pub next_attempt_at: Option<Timestamp>,
}

const COLUMNS: &str = "sequence, id, kind, state, code, lookup_id, author_id, author_name, branch_id, \
     branch_name, document_kind, document_number, affiliate_name, tariff, company_name, statement, \
     device_time, occurred_at, attempts, last_cause, next_attempt_at";

impl OutboxStore {
    pub(super) fn open(path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        let writer = Mutex::new(open(path, key, &PLAN)?);
        let reader = Mutex::new(open(path, key, &Plan { check_whole: false, ..PLAN })?);
        Ok(Self { writer, reader })
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a use, unless one rests on its lookup already or, with `first_since`, its person has one since then. When
    /// this returns it is on the disk.
    pub fn enqueue(&self, item: &NewItem, first_since: Option<Timestamp>) -> Result<Enqueued, StoreError> {
        // Nobody else writes while this is held: what the question finds is still so at the insert.
        let db = self.writer();
        if let Some(since) = first_since
            && !uses_since(&db, &item.document, since)?.is_empty()
        {
            return Ok(Enqueued::PersonUsed);
        }
        let inserted = db
            .prepare_cached(
                "INSERT INTO item (id, kind, state, lookup_id, author_id, author_name, branch_id, branch_name,
                     document_kind, document_number, affiliate_name, tariff, company_name, statement,
                     device_time, occurred_at)
                 VALUES (:id, :kind, 'queued', :lookup, :author, :author_name, :branch, :branch_name,
                     :document_kind, :document_number, :affiliate_name, :tariff, :company, :statement,
                     :device_time, :occurred_at)",
            )?
            .execute(named_params! {
                ":id": item.id,
                ":kind": item.kind.code(),
                ":lookup": item.lookup_id,
                ":author": item.author_id,
                ":author_name": item.author_name,
                ":branch": item.branch_id,
                ":branch_name": item.branch_name,
                ":document_kind": item.document.kind().code(),
                ":document_number": item.document.number(),
                ":affiliate_name": item.affiliate_name,
                ":tariff": item.tariff.code(),
                ":company": item.company_name,
                ":statement": item.statement,
                ":device_time": millis(item.device_time),
                ":occurred_at": millis(item.occurred_at),
            });
        match inserted {
            Ok(_) => Ok(Enqueued::Recorded),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(Enqueued::LookupUsed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Every item that was being sent when the program ended is to be sent again. Once, at start-up.
    pub fn recover(&self) -> Result<usize, StoreError> {
        Ok(self
            .writer()
            .execute("UPDATE item SET state = 'queued', next_attempt_at = 0 WHERE state = 'sending'", [])?)
    }

    /// Takes up to `count` queued items that are due, oldest first, into a request: they are `sending` now.
    pub fn take(&self, now: Timestamp, count: usize) -> Result<Vec<ItemRow>, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rows = {
            let mut query = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM item WHERE state = 'queued' AND next_attempt_at <= ?1
                 ORDER BY sequence LIMIT ?2"
            ))?;
            let limit = i64::try_from(count).unwrap_or(i64::MAX);
            read_rows(query.query((millis(now), limit))?)?
        };
        {
            let mut update = transaction.prepare_cached(
                "UPDATE item SET state = 'sending', attempts = attempts + 1 WHERE sequence = ?1",
            )?;
            for row in &rows {
                update.execute([row.sequence])?;
            }
        }
        transaction.commit()?;
        Ok(rows)
    }

    /// Writes what became of items, all of them or none.
    pub fn settle(&self, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for one in settled {
            move_item(&transaction, one, now)?;
        }
        Ok(transaction.commit()?)
    }

    /// Applies `event` to one item by hand. `false`: there is no such item, or its state does not allow it.
    pub fn act(&self, id: Uuid, event: Event, now: Timestamp) -> Result<bool, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let one = Settled { id, event, code: None, cause: None, next_attempt_at: None };
        let moved = move_item(&transaction, &one, now)?;
        transaction.commit()?;
        Ok(moved)
    }

    /// Makes everything queued due at once: the connection is back, or the operator asked.
    pub fn hurry(&self) -> Result<usize, StoreError> {
        Ok(self.writer().execute(
            "UPDATE item SET next_attempt_at = 0 WHERE state = 'queued' AND next_attempt_at > 0",
            [],
        )?)
    }

    /// When the next queued item is due.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = self.reader().query_row(
            "SELECT MIN(next_attempt_at) FROM item WHERE state = 'queued'",
            [],
            |row| row.get(0),
        )?;
        due.map(|due| time(due, "item")).transpose()
    }

    /// How many items are still to be sent, and how many wait for a person.
    pub fn counts(&self) -> Result<(u32, u32), StoreError> {
        Ok(self
            .reader()
            .prepare_cached(
                "SELECT COUNT(*) FILTER (WHERE state IN ('queued', 'sending')),
                        COUNT(*) FILTER (WHERE state = 'needs_attention')
                 FROM item WHERE state IN ('queued', 'sending', 'needs_attention')",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Every item not done with: *Requiere atención* first, then oldest first.
    pub fn open_items(&self) -> Result<Vec<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE state IN ('queued', 'sending', 'needs_attention')
             ORDER BY state <> 'needs_attention', sequence"
        ))?;
        read_rows(query.query([])?)
    }

    /// Items that happened in `[from, to)`, newest first, at one branch or at all.
    pub fn items_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        branch_id: Option<Uuid>,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE occurred_at >= ?1 AND occurred_at < ?2
             AND (?3 IS NULL OR branch_id = ?3) ORDER BY occurred_at DESC, sequence DESC"
        ))?;
        read_rows(query.query((millis(from), millis(to), branch_id))?)
    }

    /// When, and where, uses of `document` were recorded on this PC since `since`, oldest first. Refused and withdrawn
    /// ones are no uses.
    pub fn uses_since(
        &self,
        document: &Document,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        uses_since(&self.reader(), document, since)
    }

    /// What is known of the server's clock.
    pub fn clock_mark(&self) -> Result<ClockMark, StoreError> {
        let (high, offset_ms): (Option<i64>, i64) =
            self.reader().query_row("SELECT server_time_high, offset_ms FROM clock_mark", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let server_time_high = high.map(|high| time(high, "clock_mark")).transpose()?;
        Ok(ClockMark { server_time_high, offset_ms })
    }

    /// Keeps what is known of the server's clock. The high-water mark never falls.
    pub fn keep_clock_mark(&self, mark: ClockMark) -> Result<(), StoreError> {
        self.writer().execute(
            "UPDATE clock_mark SET offset_ms = ?2,
                 server_time_high = NULLIF(MAX(COALESCE(server_time_high, -1), COALESCE(?1, -1)), -1)",
            (mark.server_time_high.map(millis), mark.offset_ms),
        )?;
        Ok(())
    }

    /// This PC's id, if it was given one.
    pub fn device_id(&self) -> Result<Option<Uuid>, StoreError> {
        Ok(self.reader().query_row("SELECT id FROM device", [], |row| row.get(0)).optional()?)
    }

    /// Gives this PC its id, once.
    pub fn keep_device_id(&self, id: Uuid) -> Result<(), StoreError> {
        self.writer().execute("INSERT INTO device (singleton, id) VALUES (1, ?1)", [id])?;
        Ok(())
    }
}

/// See [`OutboxStore::uses_since`].
fn uses_since(
    db: &Connection,
    document: &Document,
    since: Timestamp,
) -> Result<Vec<(Timestamp, String)>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT occurred_at, branch_name FROM item
         WHERE document_number = :number AND document_kind = :kind AND occurred_at >= :since
         AND state NOT IN ('needs_attention', 'withdrawn') ORDER BY occurred_at",
    )?;
    let mut rows = query.query(named_params! {
        ":number": document.number(),
        ":kind": document.kind().code(),
        ":since": millis(since),
    })?;
    let mut uses = Vec::new();
    while let Some(row) = rows.next()? {
        uses.push((time(row.get(0)?, "item")?, row.get(1)?));
    }
    Ok(uses)
}

/// Moves one item along the table of `hanna_domain::outbox`; `false` when the table has no such move.
fn move_item(transaction: &Transaction<'_>, one: &Settled, now: Timestamp) -> Result<bool, StoreError> {
    let state: Option<String> = transaction
        .prepare_cached("SELECT state FROM item WHERE id = ?1")?
        .query_row([one.id], |row| row.get(0))
        .optional()?;
    let Some(state) = state else { return Ok(false) };
    let state = ItemState::from_code(&state).ok_or(StoreError::Content("item"))?;
    let Some(next) = state.after(one.event) else { return Ok(false) };
    let settled_at = (!next.is_open()).then(|| millis(now));
    transaction
        .prepare_cached(
            "UPDATE item SET state = :state, code = :code, last_cause = :cause,
                 next_attempt_at = :next, settled_at = :settled WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": one.id,
            ":state": next.code(),
            ":code": one.code.map(ItemCode::code),
            ":cause": one.cause.map(Cause::code),
            ":next": one.next_attempt_at.map_or(0, millis),
            ":settled": settled_at,
        })?;
    Ok(true)
}

fn read_rows(mut rows: rusqlite::Rows<'_>) -> Result<Vec<ItemRow>, StoreError> {
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read_row(row)?);
    }
    Ok(items)
}

fn read_row(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    const TABLE: StoreError = StoreError::Content("item");
    let word = |name: &str| row.get::<_, String>(name);
    let optional = |name: &str| row.get::<_, Option<String>>(name);
    let kind = DocumentKind::from_code(&word("document_kind")?).ok_or(TABLE)?;
    Ok(ItemRow {
        sequence: row.get("sequence")?,
        state: ItemState::from_code(&word("state")?).ok_or(TABLE)?,
        code: optional("code")?.map(|code| ItemCode::from_code(&code).ok_or(TABLE)).transpose()?,
        attempts: row.get("attempts")?,
        last_cause: optional("last_cause")?.map(|cause| Cause::from_code(&cause).ok_or(TABLE)).transpose()?,
        next_attempt_at: time(row.get("next_attempt_at")?, "item")?,
        item: NewItem {
            id: row.get("id")?,
            kind: ItemKind::from_code(&word("kind")?).ok_or(TABLE)?,
            lookup_id: row.get("lookup_id")?,
            author_id: row.get("author_id")?,
            author_name: row.get("author_name")?,
            branch_id: row.get("branch_id")?,
            branch_name: row.get("branch_name")?,
            document: Document::parse(kind, &word("document_number")?).map_err(|_| TABLE)?,
            affiliate_name: row.get("affiliate_name")?,
            tariff: Tariff::from_code(&word("tariff")?).ok_or(TABLE)?,
            company_name: row.get("company_name")?,
            statement: row.get("statement")?,
            device_time: time(row.get("device_time")?, "item")?,
            occurred_at: time(row.get("occurred_at")?, "item")?,
        },
    })
}
