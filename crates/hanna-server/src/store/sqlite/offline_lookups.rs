//! Lookups that the copy of a desk answered: on record beside those the server answered, each lookup once.

use hanna_domain::outbox::ItemCode;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
use super::organisation::Standing;
use crate::store::{Arrival, Delivery, OfflineLookup};
use crate::usage::Ruling;

pub fn judge(
    tx: &Connection,
    standing: &mut Standing,
    arrival: &Arrival,
    lookup: &OfflineLookup,
) -> rusqlite::Result<Ruling> {
    if !standing.has(tx, lookup.branch_id, arrival.author_id)? {
        return Ok(Ruling::Refused(ItemCode::BranchNotAllowed));
    }
    let same_lookup = tx
        .prepare_cached("SELECT branch_id, document_mac FROM lookups WHERE id = ?1")?
        .query_row([lookup.lookup_id], |row| {
            let (branch_id, document_mac): (Uuid, [u8; 32]) = (row.get(0)?, row.get(1)?);
            Ok(branch_id == lookup.branch_id && document_mac == lookup.document_mac.0)
        })
        .optional()?;
    Ok(match same_lookup {
        // The server answered it too, late: the same lookup.
        None | Some(true) => Ruling::Accepted,
        Some(false) => Ruling::Refused(ItemCode::IdConflict),
    })
}

pub fn keep(
    tx: &Connection,
    delivery: &Delivery,
    arrival: &Arrival,
    lookup: &OfflineLookup,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_us,
                              regular)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0) ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![
        lookup.lookup_id,
        arrival.author_id,
        delivery.device_id,
        delivery.entity_id,
        lookup.branch_id,
        lookup.document_mac,
        lookup.purpose,
        Micros(arrival.occurred_at),
    ])?;
    tx.prepare_cached(
        "INSERT INTO offline_lookups (id, lookup_id, occurred_us, verdict, statement_id)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        arrival.id,
        lookup.lookup_id,
        Micros(arrival.occurred_at),
        Word(lookup.verdict),
        lookup.statement_id,
    ])?;
    Ok(())
}
