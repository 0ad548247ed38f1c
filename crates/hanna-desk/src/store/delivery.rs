//! How what this PC recorded goes to the server: what is taken into a request, and what becomes of it.
//!
//! State changes go through `ItemState::after`: a row in a state that does not allow the event is left as it is.

use std::collections::HashSet;

use hanna_domain::outbox::{Event, ItemCode, ItemState};
use hanna_domain::{Cause, Document};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::item::{COLUMNS, ItemRow, Settled, body_bytes, read_row};
use super::outbox::OutboxStore;
use super::{StoreError, millis, time};

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

/// The highest sequence that the server has accepted, 0 for none.
pub(super) const ACCEPTED: &str = "
    SELECT MAX(COALESCE((SELECT MAX(sequence) FROM item WHERE state = 'accepted'), 0),
               COALESCE((SELECT MAX(sequence) FROM item WHERE state = 'accepted_with_note'), 0))";

impl OutboxStore {
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
