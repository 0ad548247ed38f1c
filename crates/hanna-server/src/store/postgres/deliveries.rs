//! The outbox of desks, taken in a batch at a time: everything it may rest on is read at once, judged item by item in
//! memory, and written at once. Three ways there and back, however many items there are.
//!
//! Uses of one person at one entity on one day are judged one transaction after the other, whoever delivers them: see
//! [`take_turns`]. The same id in two batches at once is noticed when it is written, and the slower one begins again.

use std::collections::BTreeSet;

use hanna_domain::outbox::ItemCode;
use hanna_domain::{Statement, colombia};
use hanna_wire::outbox::{Outcome, OutcomeKind};
use jiff::Timestamp;
use uuid::Uuid;

use super::columns::{Columns, Moment};
use super::devices::NOTE_CONTACT;
use super::fault::{Done, Remedy};
use super::keys::{SETTING, epoch};
use super::ledger::Ledger;
use super::locks::{HOLD, HOLD_ALL, Name, SHARE};
use super::pool::{Connections, Tx};
use super::records::{self, Records};
use crate::store::{Arrival, Delivered, Delivery, Recorded, Result};

const LAST_SEQUENCE: &str = "SELECT coalesce(max(sequence), 0) FROM outbox_items WHERE device_id = $1";
/// So many persons a transaction locks one by one; one with more takes its turn for the whole entity.
const PERSONS_MAX: usize = 64;

/// Takes a batch in. Should a value in it be one the database can do nothing with, the others pass without its item.
pub async fn take_in(connections: &Connections, delivery: Delivery) -> Result<Delivered> {
    let delivery = std::sync::Arc::new(delivery);
    let whole = std::sync::Arc::clone(&delivery);
    let taken = connections
        .write_at_once(
            |_| true,
            move |tx| {
                let delivery = std::sync::Arc::clone(&whole);
                Box::pin(async move { Box::pin(take_in_whole(tx, &delivery)).await })
            },
        )
        .await;
    match taken {
        Err(trouble) if trouble.remedy() == Remedy::Without => {
            tracing::error!(%trouble, "a batch cannot be taken in whole");
            connections
                .write(move |tx| {
                    let delivery = std::sync::Arc::clone(&delivery);
                    Box::pin(async move { take_in_one_by_one(tx, &delivery).await })
                })
                .await
        }
        taken => Ok(taken?),
    }
}

async fn take_in_whole(tx: &Tx, delivery: &Delivery) -> Done<Delivered> {
    tx.prepare(&[NOTE_CONTACT, LAST_SEQUENCE, SETTING, HOLD, SHARE, HOLD_ALL]).await?;
    tx.prepare(&Ledger::STATEMENTS).await?;
    tx.prepare(&records::STATEMENTS).await?;
    let ((), before, (), ledger) = tokio::try_join!(
        biased;
        tx.begin(),
        Before::read(tx, delivery),
        take_turns(tx, delivery),
        Ledger::read(tx, delivery, &delivery.arrivals),
    )?;
    let mut records = Records::default();
    let outcomes = settle(ledger, delivery, &delivery.arrivals, before.revoked_at, &mut records);
    records.write(tx, delivery).await?;
    tx.commit().await?;
    Ok(Delivered { outcomes, epoch: before.epoch, last_sequence: before.last_sequence })
}

/// Which of these items are held, each with the submission its answer belongs to; in their order.
pub async fn held(tx: &Tx, ids: &[Uuid]) -> Done<Vec<(Uuid, u32)>> {
    let rows = tx
        .rows(
            "SELECT i.id, i.submission FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
             JOIN outbox_items i USING (id) ORDER BY asked.place",
            &[&ids],
        )
        .await?;
    rows.iter().map(|row| Ok((row.value(0)?, row.count(1)?))).collect()
}

/// Each item in its own savepoint: one that fails takes nothing back but itself.
async fn take_in_one_by_one(tx: &Tx, delivery: &Delivery) -> Done<Delivered> {
    let before = Before::read(tx, delivery).await?;
    take_turns(tx, delivery).await?;
    let mut outcomes = Vec::with_capacity(delivery.arrivals.len());
    for arrival in &delivery.arrivals {
        tx.batch("SAVEPOINT item").await?;
        let alone = async {
            let arrivals = std::slice::from_ref(arrival);
            let ledger = Ledger::read(tx, delivery, arrivals).await?;
            let mut records = Records::default();
            let outcomes = settle(ledger, delivery, arrivals, before.revoked_at, &mut records);
            records.write(tx, delivery).await?;
            Done::Ok(outcomes)
        };
        match alone.await {
            Ok(mut one) => outcomes.append(&mut one),
            Err(trouble) if trouble.remedy() == Remedy::Without => {
                tracing::error!(item_id = %arrival.id, %trouble, "an item could not be taken in");
                tx.batch("ROLLBACK TO SAVEPOINT item").await?;
                outcomes.push(Outcome { id: arrival.id, outcome: OutcomeKind::Retry, code: None });
            }
            Err(trouble) => return Err(trouble),
        }
        tx.batch("RELEASE SAVEPOINT item").await?;
    }
    Ok(Delivered { outcomes, epoch: before.epoch, last_sequence: before.last_sequence })
}

/// How things stood before the batch.
struct Before {
    revoked_at: Option<Timestamp>,
    last_sequence: i64,
    epoch: Uuid,
}

impl Before {
    /// Notes the contact first, which makes batches of one PC wait for each other.
    async fn read(tx: &Tx, delivery: &Delivery) -> Done<Self> {
        let now = Moment(delivery.now);
        let waiting = delivery.waiting.map(|waiting| i64::try_from(waiting).unwrap_or(i64::MAX));
        let contact = async { tx.row_or_none(NOTE_CONTACT, &[&delivery.device_id, &now, &waiting]).await };
        let sequence = async { tx.row(LAST_SEQUENCE, &[&delivery.device_id]).await };
        let (contact, sequence, epoch) = tokio::try_join!(biased; contact, sequence, epoch(tx))?;
        let revoked_at = match contact {
            Some(row) => row.value::<Option<Moment>>(0)?.map(|at| at.0),
            None => None,
        };
        Ok(Self { revoked_at, last_sequence: sequence.value(0)?, epoch })
    }
}

/// Waits until nothing is purged any more, and until nobody else judges uses of the same persons. Few persons are locked one by one, in the same order by
/// everybody, beside others at the same entity who do so; a batch about many persons has the entity for itself.
async fn take_turns(tx: &Tx, delivery: &Delivery) -> Done<()> {
    let entity = Name::of("uses", &[delivery.entity_id.as_bytes()]);
    let purge = Name::purge();
    let unpurged = async { tx.execute(SHARE, &[&purge.0]).await };
    let persons: BTreeSet<Name> =
        delivery.arrivals.iter().filter_map(|arrival| person(delivery, arrival)).collect();
    if persons.len() > PERSONS_MAX {
        let hold = async { tx.execute(HOLD, &[&entity.0]).await };
        return tokio::try_join!(biased; unpurged, hold).map(drop);
    }
    let persons: Vec<i64> = persons.into_iter().map(|name| name.0).collect();
    let share = async { tx.execute(SHARE, &[&entity.0]).await };
    let hold = async { tx.execute(HOLD_ALL, &[&persons]).await };
    tokio::try_join!(biased; unpurged, share, hold).map(drop)
}

fn person(delivery: &Delivery, arrival: &Arrival) -> Option<Name> {
    let Recorded::Use(Ok(statement)) = &arrival.recorded else { return None };
    let Statement { document, .. } = statement.as_ref();
    let day = colombia::day_of(arrival.occurred_at).to_string();
    let (kind, number) = (document.kind().code().as_bytes(), document.number().as_bytes());
    Some(Name::of("use", &[delivery.entity_id.as_bytes(), kind, number, day.as_bytes()]))
}

fn settle<'a>(
    mut ledger: Ledger,
    delivery: &Delivery,
    arrivals: &'a [Arrival],
    revoked_at: Option<Timestamp>,
    records: &mut Records<'a>,
) -> Vec<Outcome> {
    let settled = arrivals.iter().map(|arrival| {
        let (outcome, code): (OutcomeKind, Option<ItemCode>) =
            ledger.settle(delivery, arrival, revoked_at, records);
        Outcome { id: arrival.id, outcome, code }
    });
    settled.collect()
}
