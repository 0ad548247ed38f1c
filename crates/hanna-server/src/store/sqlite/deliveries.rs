//! The outbox of desks, taken in item by item: what is held already, what is judged, what is remembered.
//!
//! What each kind of item means stands in a file of its own.

use hanna_domain::outbox::ItemCode;
use hanna_wire::outbox::{Outcome, OutcomeKind};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
use super::organisation::Standing;
use super::{audit, devices, epoch, offline_lookups, retention, uses, voids};
use crate::store::replay::{Held, Replay, Taken};
use crate::store::{Arrival, Delivered, Delivery, Recorded};
use crate::usage::{Ruling, turned_away};

pub fn take_in(tx: &mut Transaction<'_>, delivery: &Delivery) -> rusqlite::Result<Delivered> {
    let last_sequence = last_sequence(tx, delivery.device_id)?;
    devices::note_contact(tx, delivery.device_id, delivery.waiting, delivery.now)?;
    let bounds = Bounds {
        kept_from: retention::kept_from(tx)?.max(Some(delivery.kept_from)).unwrap_or(Timestamp::MIN),
        revoked_at: devices::revoked_at(tx, delivery.device_id)?,
    };
    let mut standing = Standing::of(delivery.entity_id);
    let taken = match all_at_once(tx, &mut standing, delivery, bounds) {
        Ok(taken) => taken,
        Err(error) => {
            tracing::warn!(%error, "an item could not be taken in: the batch is taken in one by one");
            one_by_one(tx, &mut standing, delivery, bounds)?
        }
    };
    let outcome = |(arrival, (outcome, code)): (&Arrival, Taken)| Outcome { id: arrival.id, outcome, code };
    let outcomes = delivery.arrivals.iter().zip(taken).map(outcome).collect();
    Ok(Delivered { outcomes, epoch: epoch::present(tx)?, last_sequence })
}

/// Between which moments a PC may have recorded something.
#[derive(Clone, Copy)]
struct Bounds {
    kept_from: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// All items or, when one of them fails, none.
fn all_at_once(
    tx: &mut Transaction<'_>,
    standing: &mut Standing,
    delivery: &Delivery,
    bounds: Bounds,
) -> rusqlite::Result<Vec<Taken>> {
    let point = tx.savepoint()?;
    let take_in = |arrival| take_in_one(&point, standing, delivery, arrival, bounds);
    let taken = delivery.arrivals.iter().map(take_in).collect::<rusqlite::Result<_>>()?;
    point.commit()?;
    Ok(taken)
}

/// Each item in its own savepoint: one that fails takes nothing back but itself. SQLite keeps a copy of every page that
/// changes in a savepoint, which is most of the work when each item has one.
fn one_by_one(
    tx: &mut Transaction<'_>,
    standing: &mut Standing,
    delivery: &Delivery,
    bounds: Bounds,
) -> rusqlite::Result<Vec<Taken>> {
    let mut all = Vec::with_capacity(delivery.arrivals.len());
    for arrival in &delivery.arrivals {
        let point = tx.savepoint()?;
        all.push(match take_in_one(&point, standing, delivery, arrival, bounds) {
            Ok(taken) => {
                point.commit()?;
                taken
            }
            Err(error) => {
                tracing::error!(item_id = %arrival.id, %error, "an item could not be taken in");
                drop(point);
                (OutcomeKind::Retry, None)
            }
        });
    }
    Ok(all)
}

fn take_in_one(
    tx: &Connection,
    standing: &mut Standing,
    delivery: &Delivery,
    arrival: &Arrival,
    bounds: Bounds,
) -> rusqlite::Result<Taken> {
    let held = held(tx, arrival.id)?;
    if let Some(held) = &held {
        match held.replay(arrival) {
            Replay::Answered(taken) => return Ok(taken),
            Replay::AnsweredBefore(taken) => {
                let earlier = earlier_refusal(tx, arrival)?;
                return Ok(earlier.map_or(taken, |code| (OutcomeKind::Refused, Some(code))));
            }
            Replay::New => {}
        }
    }
    let ruling = match turned_away(arrival.occurred_at, bounds.kept_from, bounds.revoked_at) {
        Some(code) => Ruling::Refused(code),
        None => judge(tx, standing, arrival)?,
    };
    let taken = ruling.outcome();
    if taken.0 == OutcomeKind::Retry {
        return Ok(taken);
    }
    if held.is_some() {
        keep_earlier_refusal(tx, arrival.id)?;
    }
    remember(tx, delivery, arrival, taken)?;
    if taken.0 != OutcomeKind::Refused {
        keep(tx, delivery, arrival)?;
    }
    Ok(taken)
}

fn judge(tx: &Connection, standing: &mut Standing, arrival: &Arrival) -> rusqlite::Result<Ruling> {
    match &arrival.recorded {
        Recorded::Use(Err(code)) => Ok(Ruling::Refused(*code)),
        Recorded::Use(Ok(statement)) => uses::judge(tx, standing, arrival, statement),
        Recorded::Void(void) => voids::judge(tx, standing, arrival, void),
        Recorded::OfflineLookup(lookup) => offline_lookups::judge(tx, standing, arrival, lookup),
    }
}

fn keep(tx: &Connection, delivery: &Delivery, arrival: &Arrival) -> rusqlite::Result<()> {
    match &arrival.recorded {
        // What rests on nothing was refused.
        Recorded::Use(Err(_)) => Ok(()),
        Recorded::Use(Ok(statement)) => uses::keep(tx, arrival, statement),
        Recorded::Void(void) => voids::keep(tx, arrival, void),
        Recorded::OfflineLookup(lookup) => offline_lookups::keep(tx, delivery, arrival, lookup),
    }
}

fn held(tx: &Connection, id: Uuid) -> rusqlite::Result<Option<Held>> {
    tx.prepare_cached("SELECT content_hash, submission, outcome, code FROM outbox_items WHERE id = ?1")?
        .query_row([id], |row| {
            let outcome = row.get::<_, Word<_>>(2)?.0;
            let code = row.get::<_, Option<Word<_>>>(3)?.map(|word| word.0);
            Ok(Held { content_hash: row.get(0)?, submission: row.get(1)?, taken: (outcome, code) })
        })
        .optional()
}

/// Which of these items are held, each with the submission its answer belongs to.
pub fn held_of(tx: &Connection, ids: &[Uuid]) -> rusqlite::Result<Vec<(Uuid, u32)>> {
    let mut of_one = tx.prepare_cached("SELECT submission FROM outbox_items WHERE id = ?1")?;
    let mut held = Vec::new();
    for id in ids {
        held.extend(of_one.query_row([id], |row| Ok((*id, row.get(0)?))).optional()?);
    }
    Ok(held)
}

/// How exactly this submission was answered, if it was, before a higher one.
fn earlier_refusal(tx: &Connection, arrival: &Arrival) -> rusqlite::Result<Option<ItemCode>> {
    tx.prepare_cached("SELECT code FROM earlier_refusals WHERE item_id = ?1 AND submission = ?2")?
        .query_row(params![arrival.id, arrival.submission], |row| Ok(row.get::<_, Word<_>>(0)?.0))
        .optional()
}

/// An item is judged anew: its answer so far was a refusal, and stays the answer to its submission.
fn keep_earlier_refusal(tx: &Connection, id: Uuid) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO earlier_refusals (item_id, submission, judged_us, code)
         SELECT id, submission, judged_us, code FROM outbox_items WHERE id = ?1",
    )?
    .execute([id])?;
    Ok(())
}

fn remember(
    tx: &Connection,
    delivery: &Delivery,
    arrival: &Arrival,
    (outcome, code): Taken,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO outbox_items
             (id, content_hash, kind, sequence, author_id, device_id, sent_by, received_us, judged_us, outcome, code,
              submission, device_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET judged_us = excluded.judged_us, outcome = excluded.outcome,
             code = excluded.code, submission = excluded.submission",
    )?
    .execute(params![
        arrival.id,
        arrival.content_hash.as_slice(),
        arrival.recorded.kind().code(),
        arrival.sequence,
        arrival.author_id,
        delivery.device_id,
        delivery.account_id,
        Micros(delivery.now),
        Word(outcome),
        code.map(Word),
        arrival.submission,
        Micros(arrival.device_time),
    ])?;
    audit::append_item(tx, arrival.id, arrival.submission, delivery.now)
}

/// The highest sequence held of a PC, 0 for none.
pub fn last_sequence(tx: &Connection, device_id: Uuid) -> rusqlite::Result<i64> {
    tx.prepare_cached("SELECT coalesce(max(sequence), 0) FROM outbox_items WHERE device_id = ?1")?
        .query_row([device_id], |row| row.get(0))
}
