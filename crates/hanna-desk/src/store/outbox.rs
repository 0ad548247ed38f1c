//! `outbox.sqlite`: what this PC recorded, and what it knows of the server's clock.
//!
//! Every write is flushed to the disk before the call returns. How items go on from here stands in `delivery.rs`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hanna_domain::{ClockMark, Document};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, ffi, named_params};
use uuid::Uuid;

use super::item::{COLUMNS, ItemRow, NewItem, insert_body, read_document, read_rows};
use super::open::{Plan, open};
use super::users::Users;
use super::{DatabaseKey, StoreError, millis, time};

/// The file's name in the data folder.
pub(super) const FILE: &str = "outbox.sqlite";

pub(super) const PLAN: Plan = Plan {
    synchronous: "FULL",
    cache_kib: 8 * 1024,
    check_whole: true,
    migrations: &[
        include_str!("migrations/outbox-001.sql"),
        include_str!("migrations/outbox-002.sql"),
        include_str!("migrations/outbox-003.sql"),
        include_str!("migrations/outbox-004.sql"),
        include_str!("migrations/outbox-005.sql"),
        include_str!("migrations/outbox-006.sql"),
    ],
};

/// The database that is never lost. Reading has a connection of its own, so that a lookup never waits for a flush.
#[derive(Debug)]
pub struct OutboxStore {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    pub(super) users: Users,
}

/// What became of recording a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is on the disk.
    Recorded,
    /// Nothing was written: the card is reported already, or the use taken back.
    AlreadyThere,
    /// Nothing was written: the person has a use already.
    PersonUsed,
}

/// What waits, by what it means to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Uses and voids still to be sent.
    pub pending: u32,
    /// Items of any kind that a person has to look at.
    pub needs_attention: u32,
    /// Offline lookups still to be sent.
    pub lookups: u32,
}

/// How many items wait, by what they mean to the operator.
pub(super) const COUNTS: &str = "
    SELECT COUNT(*) FILTER (WHERE state <> 'needs_attention' AND kind <> 'offline_lookup'),
           COUNT(*) FILTER (WHERE state = 'needs_attention'),
           COUNT(*) FILTER (WHERE state <> 'needs_attention' AND kind = 'offline_lookup')
    FROM item WHERE state IN ('queued', 'sending', 'needs_attention')";

impl OutboxStore {
    pub(super) fn open(path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        let writer = Mutex::new(open(path, key, &PLAN)?);
        let reader = Mutex::new(open(path, key, &Plan { check_whole: false, ..PLAN })?);
        Ok(Self { writer, reader, users: Users::default() })
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an item, unless it would be a second report of its card or a second void of its report, or, with
    /// `first_since`, its person has a use since then. When this returns it is on the disk.
    pub fn enqueue(&self, item: &NewItem, first_since: Option<Timestamp>) -> Result<Enqueued, StoreError> {
        // Nobody else writes while this is held: what the question finds is still so at the insert.
        let mut db = self.writer();
        if let Some(since) = first_since
            && !uses_since(&db, &item.document, since)?.is_empty()
        {
            return Ok(Enqueued::PersonUsed);
        }
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let inserted = transaction
            .prepare_cached(
                "INSERT INTO item (sequence, id, kind, state, lookup_id, report_id, author_id, author_name, branch_id, branch_name,
                     document_kind, document_number, affiliate_name, tariff, company_name,
                     device_time, occurred_at)
                 VALUES ((SELECT MAX(COALESCE(MAX(sequence), 0), 0) + 1 FROM item), :id, :kind, 'queued', :lookup, :report, :author, :author_name, :branch, :branch_name,
                     :document_kind, :document_number, :affiliate_name, :tariff, :company,
                     :device_time, :occurred_at)",
            )?
            .execute(named_params! {
                ":id": item.id,
                ":kind": item.kind().code(),
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
            });
        match inserted {
            Ok(_) => {
                insert_body(&transaction, transaction.last_insert_rowid(), &item.body)?;
                transaction.commit()?;
                if item.usage.is_some() {
                    self.users.add(&item.document);
                }
                Ok(Enqueued::Recorded)
            }
            // Anything else that a constraint forbids is no "already there": it would be lost without a word.
            Err(error) if is_twice(&error) => Ok(Enqueued::AlreadyThere),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets what was done with before `before`. What is open is never forgotten.
    pub fn forget_settled(&self, before: Timestamp) -> Result<usize, StoreError> {
        Ok(self.writer().execute(
            "DELETE FROM item WHERE state IN ('accepted', 'accepted_with_note', 'withdrawn') AND settled_at < ?1",
            [millis(before)],
        )?)
    }

    /// How many items wait.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.reader().prepare_cached(COUNTS)?.query_row([], |row| {
            Ok(Counts { pending: row.get(0)?, needs_attention: row.get(1)?, lookups: row.get(2)? })
        })?)
    }

    /// The void of a report, unless it was given up.
    pub fn void_of(&self, report_id: Uuid) -> Result<Option<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE kind = 'void' AND state <> 'withdrawn' AND report_id = ?1"
        ))?;
        Ok(read_rows(query.query([report_id])?)?.pop())
    }

    /// Every item not done with: *Requiere atención* first, then oldest first. Offline lookups, which nobody waits for,
    /// only when they require attention.
    pub fn open_items(&self) -> Result<Vec<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE state IN ('queued', 'sending', 'needs_attention')
             AND (kind <> 'offline_lookup' OR state = 'needs_attention')
             ORDER BY state <> 'needs_attention', sequence"
        ))?;
        read_rows(query.query([])?)
    }

    /// The item with this id.
    pub fn item(&self, id: Uuid) -> Result<Option<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM item WHERE id = ?1"))?;
        Ok(read_rows(query.query([id])?)?.pop())
    }

    /// The void of each report in `[from, to)` that has one, by the report's id; one that was given up is none.
    pub fn voids_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HashMap<Uuid, ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE kind = 'void' AND state <> 'withdrawn' AND report_id IN
             (SELECT id FROM item WHERE kind = 'usage_report' AND occurred_at >= ?1 AND occurred_at < ?2)"
        ))?;
        let rows = read_rows(query.query((millis(from), millis(to)))?)?;
        Ok(rows.into_iter().filter_map(|row| Some((row.item.report_id()?, row))).collect())
    }

    /// Uses that happened in `[from, to)`, newest first, at one branch or at all.
    pub fn uses_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        branch_id: Option<Uuid>,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE kind = 'usage_report' AND occurred_at >= ?1 AND occurred_at < ?2
             AND (?3 IS NULL OR branch_id = ?3) ORDER BY occurred_at DESC, sequence DESC"
        ))?;
        read_rows(query.query((millis(from), millis(to), branch_id))?)
    }

    /// When, and where, uses of `document` were recorded on this PC since `since`, oldest first. Refused, withdrawn and
    /// voided ones are no uses.
    pub fn uses_since(
        &self,
        document: &Document,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        if self.users.may_include(document, since, || users_since(&self.reader(), since))? {
            uses_since(&self.reader(), document, since)
        } else {
            Ok(Vec::new())
        }
    }

    /// What is known of the server's clock.
    pub fn clock_mark(&self) -> Result<ClockMark, StoreError> {
        let (server, offset_ms, device): (Option<i64>, i64, Option<i64>) = self.reader().query_row(
            "SELECT server_time_high, offset_ms, device_time_high FROM clock_mark",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let high = |high: Option<i64>| high.map(|high| time(high, "clock_mark")).transpose();
        Ok(ClockMark { server_time_high: high(server)?, offset_ms, device_time_high: high(device)? })
    }

    /// Keeps what is known of the server's clock, and how far this PC's has gone since. The server's high-water mark never
    /// falls.
    pub fn keep_clock_mark(&self, mark: ClockMark) -> Result<(), StoreError> {
        self.writer().execute(
            "UPDATE clock_mark SET offset_ms = ?2, device_time_high = ?3,
                 server_time_high = NULLIF(MAX(COALESCE(server_time_high, -1), COALESCE(?1, -1)), -1)",
            (mark.server_time_high.map(millis), mark.offset_ms, mark.device_time_high.map(millis)),
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

/// Whether an insert failed because its id, its card or its void is there already.
fn is_twice(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|sqlite| sqlite.extended_code);
    matches!(code, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY))
}

/// Of whom any use was recorded since `since`.
fn users_since(db: &Connection, since: Timestamp) -> Result<HashSet<Document>, StoreError> {
    let mut query = db.prepare(
        "SELECT document_kind, document_number FROM item WHERE kind = 'usage_report' AND occurred_at >= ?1",
    )?;
    let mut rows = query.query([millis(since)])?;
    let mut people = HashSet::new();
    while let Some(row) = rows.next()? {
        people.insert(read_document(row.get_ref(0)?, row.get_ref(1)?)?);
    }
    Ok(people)
}

/// See [`OutboxStore::uses_since`].
fn uses_since(
    db: &Connection,
    document: &Document,
    since: Timestamp,
) -> Result<Vec<(Timestamp, String)>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT occurred_at, branch_name FROM item
         WHERE kind = 'usage_report'
         AND document_number = :number AND document_kind = :kind AND occurred_at >= :since
         AND state NOT IN ('needs_attention', 'withdrawn')
         AND NOT EXISTS (SELECT 1 FROM item AS void WHERE void.kind = 'void' AND void.report_id = item.id
                         AND void.state NOT IN ('needs_attention', 'withdrawn'))
         ORDER BY occurred_at",
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
