//! `outbox.sqlite`: what this PC recorded, and what it knows of the server's clock.
//!
//! Every write is flushed to the disk before the call returns. State changes go through
//! `ItemState::after`: a row in a state that does not allow the event is left as it is.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hanna_domain::outbox::{Event, ItemCode, ItemState};
use hanna_domain::{Cause, ClockMark, Document};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, ffi, named_params};
use uuid::Uuid;

use super::item::{
    COLUMNS, ItemRow, NewItem, Settled, body_bytes, insert_body, read_document, read_row, read_rows,
};
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

/// What was taken into a request.
#[derive(Debug)]
pub struct Taken {
    /// The items, oldest first; they are `sending`.
    pub rows: Vec<ItemRow>,
    /// The highest sequence that the server had accepted until then, 0 for none: it holds no less when it answers.
    pub accepted: i64,
    /// How many items wait beside these and those under way, for their turn or for a person.
    pub waiting: u64,
}

/// What an item weighs in a request beside its body: ids, times and the names of the fields.
pub(super) const ITEM_OVERHEAD_BYTES: usize = 512;

/// Which queued items may go: a void goes after its report, never before, and not while that waits for a person.
pub(super) const SENDABLE: &str = "state = 'queued' AND (kind <> 'void' OR NOT EXISTS (
     SELECT 1 FROM item AS report WHERE report.id = item.report_id
     AND (report.state IN ('needs_attention', 'sending') OR (report.state = 'queued' AND report.next_attempt_at > ?1))))";

/// How many items wait, by what they mean to the operator.
pub(super) const COUNTS: &str = "
    SELECT COUNT(*) FILTER (WHERE state <> 'needs_attention' AND kind <> 'offline_lookup'),
           COUNT(*) FILTER (WHERE state = 'needs_attention'),
           COUNT(*) FILTER (WHERE state <> 'needs_attention' AND kind = 'offline_lookup')
    FROM item WHERE state IN ('queued', 'sending', 'needs_attention')";

/// The highest sequence that the server has accepted, 0 for none.
pub(super) const ACCEPTED: &str = "
    SELECT MAX(COALESCE((SELECT MAX(sequence) FROM item WHERE state = 'accepted'), 0),
               COALESCE((SELECT MAX(sequence) FROM item WHERE state = 'accepted_with_note'), 0))";

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

    /// Every item that is being sent, and by nobody any more, is to be sent again: at start-up, and before a delivery.
    pub fn recover(&self) -> Result<usize, StoreError> {
        Ok(self
            .writer()
            .execute("UPDATE item SET state = 'queued', next_attempt_at = 0 WHERE state = 'sending'", [])?)
    }

    /// Writes what became of items, all of them or none.
    pub fn settle(&self, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        settle(&transaction, settled, now)?;
        Ok(transaction.commit()?)
    }

    /// Writes what became of items, decided on at `decided_at` by the server's clock, and takes up to `count` queued ones
    /// that are due at `now` by this PC's, oldest first, into a request: they are `sending` then. Together they weigh at
    /// most `bytes_max`, each [`ITEM_OVERHEAD_BYTES`] beside its body; one alone is taken in any case. Nothing about a
    /// person of whom something is `under_way` is taken: it would overtake that. All of it or nothing, in one flush.
    pub fn settle_and_take(
        &self,
        settled: &[Settled],
        decided_at: Timestamp,
        now: Timestamp,
        count: usize,
        bytes_max: usize,
        under_way: &HashSet<Document>,
    ) -> Result<Taken, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        settle(&transaction, settled, decided_at)?;
        let rows = take(&transaction, now, count, bytes_max, under_way)?;
        let accepted = transaction.prepare_cached(ACCEPTED)?.query_row([], |row| row.get(0))?;
        let waiting: i64 = transaction
            .prepare_cached("SELECT COUNT(*) FROM item WHERE state IN ('queued', 'needs_attention')")?
            .query_row([], |row| row.get(0))?;
        transaction.commit()?;
        Ok(Taken { rows, accepted, waiting: waiting.unsigned_abs() })
    }

    /// Queues an item that requires attention again, as a new question to the server. `false`: there is none.
    pub fn requeue(&self, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let moved = requeue(&transaction, id, now)?;
        transaction.commit()?;
        Ok(moved)
    }

    /// Queues everything that requires attention again; says how many.
    pub fn requeue_all(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ids = ids(&transaction, "SELECT id FROM item WHERE state = 'needs_attention' ORDER BY sequence")?;
        for id in &ids {
            requeue(&transaction, *id, now)?;
        }
        transaction.commit()?;
        Ok(ids.len())
    }

    /// Gives an item that requires attention up, and with a report its void, which has nothing to take back any more.
    /// `false`: there is no such item.
    pub fn withdraw(&self, id: Uuid, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut db = self.writer();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let moved = move_item(&transaction, &by_hand(id, Event::Withdraw), now)?;
        if moved {
            transaction.execute("UPDATE item SET withdrawn_why = ?2 WHERE id = ?1", (id, why))?;
            let void: Option<Uuid> = transaction
                .query_row(
                    "SELECT id FROM item WHERE kind = 'void' AND state <> 'withdrawn' AND report_id = ?1",
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(void) = void {
                move_item(&transaction, &by_hand(void, Event::LoseCause), now)?;
            }
        }
        transaction.commit()?;
        Ok(moved)
    }

    /// Learns which server answered, before its answer is written. When it is not the one of before, or `holds_less` than
    /// it had accepted, it was restored from a backup: everything accepted is queued again, under the same ids. Says how
    /// many items that were.
    pub fn know_server(&self, epoch: Uuid, holds_less: bool, now: Timestamp) -> Result<usize, StoreError> {
        let mut db = self.writer();
        let known: Option<Uuid> =
            db.query_row("SELECT epoch FROM server_mark", [], |row| row.get(0)).optional()?;
        let restored = known.is_some_and(|known| known != epoch) || holds_less;
        if known == Some(epoch) && !restored {
            return Ok(0);
        }
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO server_mark (singleton, epoch) VALUES (1, ?1)
             ON CONFLICT (singleton) DO UPDATE SET epoch = excluded.epoch",
            [epoch],
        )?;
        let mut again = 0;
        if restored {
            let accepted = "SELECT id FROM item WHERE state IN ('accepted', 'accepted_with_note')";
            for id in ids(&transaction, accepted)? {
                again += usize::from(move_item(&transaction, &by_hand(id, Event::Reoffer), now)?);
            }
        }
        transaction.commit()?;
        Ok(again)
    }

    /// Forgets what was done with before `before`. What is open is never forgotten.
    pub fn forget_settled(&self, before: Timestamp) -> Result<usize, StoreError> {
        Ok(self.writer().execute(
            "DELETE FROM item WHERE state IN ('accepted', 'accepted_with_note', 'withdrawn') AND settled_at < ?1",
            [millis(before)],
        )?)
    }

    /// Makes everything queued due at once: the connection is back, or the operator asked.
    pub fn hurry(&self) -> Result<usize, StoreError> {
        Ok(self.writer().execute(
            "UPDATE item SET next_attempt_at = 0 WHERE state = 'queued' AND next_attempt_at > 0",
            [],
        )?)
    }

    /// When the next item that may go is due, at `now`.
    pub fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = self
            .reader()
            .prepare_cached(&format!("SELECT MIN(next_attempt_at) FROM item WHERE {SENDABLE}"))?
            .query_row([millis(now)], |row| row.get(0))?;
        due.map(|due| time(due, "item")).transpose()
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

fn settle(transaction: &Transaction<'_>, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
    for one in settled {
        move_item(transaction, one, now)?;
    }
    Ok(())
}

/// See [`OutboxStore::settle_and_take`].
fn take(
    transaction: &Transaction<'_>,
    now: Timestamp,
    count: usize,
    bytes_max: usize,
    under_way: &HashSet<Document>,
) -> Result<Vec<ItemRow>, StoreError> {
    let mut query = transaction.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM item WHERE {SENDABLE} AND next_attempt_at <= ?1 ORDER BY sequence"
    ))?;
    let mut rows = query.query([millis(now)])?;
    let mut taken = Vec::new();
    let mut bytes = 0;
    while taken.len() < count
        && let Some(row) = rows.next()?
    {
        let read = read_row(row)?;
        if under_way.contains(&read.item.document) {
            continue;
        }
        bytes += ITEM_OVERHEAD_BYTES + body_bytes(row)?;
        if bytes > bytes_max && !taken.is_empty() {
            break;
        }
        taken.push(read);
    }
    let mut update = transaction
        .prepare_cached("UPDATE item SET state = 'sending', attempts = attempts + 1 WHERE sequence = ?1")?;
    for row in &taken {
        update.execute([row.sequence])?;
    }
    Ok(taken)
}

/// Moves one item along the table of `hanna_domain::outbox`; `false` when the table has no such move.
fn move_item(transaction: &Transaction<'_>, one: &Settled, now: Timestamp) -> Result<bool, StoreError> {
    for state in ItemState::ALL {
        let Some(next) = state.after(one.event) else { continue };
        let settled_at = (!next.is_pending()).then(|| millis(now));
        let moved = transaction
            .prepare_cached(
                "UPDATE item SET state = ?3, code = ?4, last_cause = ?5, next_attempt_at = ?6, settled_at = ?7
                 WHERE id = ?1 AND state = ?2",
            )?
            .execute((
                one.id,
                state.code(),
                next.code(),
                one.code.map(ItemCode::code),
                one.cause.map(Cause::code),
                one.next_attempt_at.map_or(0, millis),
                settled_at,
            ))?;
        if moved == 1 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_hand(id: Uuid, event: Event) -> Settled {
    Settled { id, event, code: None, cause: None, next_attempt_at: None }
}

fn requeue(transaction: &Transaction<'_>, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    let moved = move_item(transaction, &by_hand(id, Event::Requeue), now)?;
    if moved {
        transaction.execute("UPDATE item SET submission = submission + 1 WHERE id = ?1", [id])?;
    }
    Ok(moved)
}

fn ids(transaction: &Transaction<'_>, query: &str) -> Result<Vec<Uuid>, StoreError> {
    let mut query = transaction.prepare(query)?;
    let ids = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}
