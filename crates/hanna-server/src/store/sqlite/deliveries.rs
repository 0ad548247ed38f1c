//! The outbox of desks, taken in item by item.

use hanna_domain::outbox::ItemCode;
use hanna_domain::{Statement, colombia};
use hanna_wire::me::Role;
use hanna_wire::outbox::{Outcome, OutcomeKind};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{OptionalExtension, Savepoint, Transaction, params};
use uuid::Uuid;

use super::columns::{Day, Micros, Word};
use super::organisation::agreement_on;
use crate::store::{Arrival, Delivery};
use crate::usage::{Known, Ruling, rule};

pub fn take_in(tx: &mut Transaction<'_>, delivery: &Delivery) -> rusqlite::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(delivery.arrivals.len());
    for arrival in &delivery.arrivals {
        // Each item in its own savepoint: one that fails takes nothing back but itself.
        let point = tx.savepoint()?;
        let (outcome, code) = match take_in_one(&point, delivery, arrival) {
            Ok(taken) => {
                point.commit()?;
                taken
            }
            Err(error) => {
                tracing::error!(item_id = %arrival.id, error = %error, "an item could not be taken in");
                drop(point);
                (OutcomeKind::Retry, None)
            }
        };
        outcomes.push(Outcome { id: arrival.id, outcome, code });
    }
    Ok(outcomes)
}

type Taken = (OutcomeKind, Option<ItemCode>);

fn take_in_one(tx: &Savepoint<'_>, delivery: &Delivery, arrival: &Arrival) -> rusqlite::Result<Taken> {
    if let Some(first) = earlier(tx, arrival.id)? {
        if first.content_hash != arrival.content_hash {
            return Ok((OutcomeKind::Refused, Some(ItemCode::IdConflict)));
        }
        if first.taken.0 != OutcomeKind::Refused {
            return Ok(first.taken);
        }
    }
    let ruling = match &arrival.statement {
        Err(code) => Ruling::Refused(*code),
        Ok(statement) => rule(&known(tx, delivery, arrival, statement)?),
    };
    let taken = match ruling {
        Ruling::Accepted => (OutcomeKind::Accepted, None),
        Ruling::Noted(code) => (OutcomeKind::AcceptedWithNote, Some(code)),
        Ruling::Refused(code) => (OutcomeKind::Refused, Some(code)),
    };
    keep_item(tx, delivery, arrival, taken)?;
    if let (Ok(statement), true) = (&arrival.statement, taken.0 != OutcomeKind::Refused) {
        keep_use(tx, arrival, statement)?;
    }
    Ok(taken)
}

/// What became of the id before.
struct Earlier {
    content_hash: [u8; 32],
    taken: Taken,
}

fn earlier(tx: &Savepoint<'_>, id: Uuid) -> rusqlite::Result<Option<Earlier>> {
    tx.prepare_cached("SELECT content_hash, outcome, code FROM outbox_items WHERE id = ?1")?
        .query_row([id], |row| {
            let outcome = row.get::<_, Word<_>>(1)?.0;
            let code = row.get::<_, Option<Word<_>>>(2)?.map(|word| word.0);
            Ok(Earlier { content_hash: row.get(0)?, taken: (outcome, code) })
        })
        .optional()
}

fn known(
    tx: &Savepoint<'_>,
    delivery: &Delivery,
    arrival: &Arrival,
    statement: &Statement,
) -> rusqlite::Result<Known> {
    let entity_id = delivery.entity_id;
    let of_this_entity = statement.entity_id == entity_id
        && is_branch_of(tx, statement.branch_id, entity_id)?
        && is_operator_of(tx, arrival.author_id, entity_id)?;
    let day = colombia::day_of(arrival.occurred_at);
    Ok(Known {
        of_this_entity,
        agreement: agreement_on(tx, statement.branch_id, day)?,
        uses_that_day: count_uses(tx, statement, day)?,
    })
}

fn is_branch_of(tx: &Savepoint<'_>, branch_id: Uuid, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM branches WHERE id = ?1 AND entity_id = ?2")?
        .exists([branch_id, entity_id])
}

/// Also one who is suspended by now: what they recorded before still counts.
fn is_operator_of(tx: &Savepoint<'_>, account_id: Uuid, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
         WHERE a.id = ?1 AND a.entity_id = ?2 AND r.role = ?3",
    )?
    .exists(params![account_id, entity_id, Word(Role::Operator)])
}

fn count_uses(tx: &Savepoint<'_>, statement: &Statement, day: Date) -> rusqlite::Result<u32> {
    let document = &statement.document;
    tx.prepare_cached(
        "SELECT count(*) FROM usage_reports WHERE number = ?1 AND kind = ?2 AND entity_id = ?3 AND day = ?4",
    )?
    .query_row(params![document.number(), Word(document.kind()), statement.entity_id, Day(day)], |row| {
        row.get(0)
    })
}

fn keep_item(
    tx: &Savepoint<'_>,
    delivery: &Delivery,
    arrival: &Arrival,
    (outcome, code): Taken,
) -> rusqlite::Result<()> {
    let now: Timestamp = delivery.now;
    tx.prepare_cached(
        "INSERT INTO outbox_items
             (id, content_hash, kind, sequence, author_id, device_id, sent_by, received_us, judged_us, outcome, code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET judged_us = excluded.judged_us, outcome = excluded.outcome, code = excluded.code",
    )?
    .execute(params![
        arrival.id,
        arrival.content_hash.as_slice(),
        arrival.kind.code(),
        arrival.sequence,
        arrival.author_id,
        delivery.device_id,
        delivery.account_id,
        Micros(now),
        Word(outcome),
        code.map(Word),
    ])?;
    Ok(())
}

fn keep_use(tx: &Savepoint<'_>, arrival: &Arrival, statement: &Statement) -> rusqlite::Result<()> {
    let affiliate = statement.affiliate.as_ref();
    tx.prepare_cached(
        "INSERT INTO usage_reports
             (id, statement_id, lookup_id, entity_id, branch_id, author_id, occurred_us, day,
              kind, number, affiliate_name, tariff, company_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        arrival.id,
        statement.jti,
        statement.lookup_id,
        statement.entity_id,
        statement.branch_id,
        arrival.author_id,
        Micros(arrival.occurred_at),
        Day(colombia::day_of(arrival.occurred_at)),
        Word(statement.document.kind()),
        statement.document.number(),
        // A usable statement always has a person: `Verifier` refuses any other.
        affiliate.map(hanna_domain::Affiliate::full_name).unwrap_or_default(),
        Word(statement.tariff),
        affiliate.and_then(|affiliate| affiliate.company.as_ref()).map(|company| &company.name),
    ])?;
    Ok(())
}
