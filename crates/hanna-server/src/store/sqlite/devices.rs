//! The PCs that signed in: their last contact, and whether the caja still trusts them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::audit;
use super::columns::Micros;
use crate::audit::{Act, Actor, NewAct};
use crate::store::{Device, Sender};

/// Registers a PC that signs in, unless it is revoked: `false`.
pub fn register(tx: &Connection, id: Uuid, name: &str, now: Timestamp) -> rusqlite::Result<bool> {
    if revoked_at(tx, id)?.is_some() {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO devices (id, name, first_seen_us, last_seen_us, last_contact_us, revoked_us)
         VALUES (?1, ?2, ?3, ?3, ?3, NULL)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen_us = excluded.last_seen_us,
             last_contact_us = excluded.last_contact_us",
        params![id, name, Micros(now)],
    )?;
    Ok(true)
}

/// Notes a contact, and how many items still wait at the PC if it says so.
pub fn note_contact(tx: &Connection, id: Uuid, waiting: Option<u64>, now: Timestamp) -> rusqlite::Result<()> {
    let waiting = waiting.map(|waiting| i64::try_from(waiting).unwrap_or(i64::MAX));
    tx.prepare_cached(
        "UPDATE devices SET last_contact_us = ?2, waiting = coalesce(?3, waiting) WHERE id = ?1",
    )?
    .execute(params![id, Micros(now), waiting])?;
    Ok(())
}

/// Since when the PC is revoked, if it is.
pub fn revoked_at(tx: &Connection, id: Uuid) -> rusqlite::Result<Option<Timestamp>> {
    let revoked = tx
        .prepare_cached("SELECT revoked_us FROM devices WHERE id = ?1")?
        .query_row([id], |row| row.get::<_, Option<Micros>>(0))
        .optional()?;
    Ok(revoked.flatten().map(|at| at.0))
}

/// Who signed in last at a PC for an entity.
pub fn last_sender(tx: &Connection, device_id: Uuid) -> rusqlite::Result<Option<Sender>> {
    tx.prepare_cached(
        "SELECT a.entity_id, a.id FROM sessions s JOIN accounts a ON a.id = s.account_id
         WHERE s.device_id = ?1 AND a.entity_id IS NOT NULL ORDER BY s.opened_us DESC, s.id DESC LIMIT 1",
    )?
    .query_row([device_id], |row| Ok(Sender { entity_id: row.get(0)?, account_id: row.get(1)?, device_id }))
    .optional()
}

/// Every PC, the one of the last contact first.
pub fn all(tx: &Connection) -> rusqlite::Result<Vec<Device>> {
    let device = |row: &Row<'_>| {
        Ok(Device {
            id: row.get(0)?,
            name: row.get(1)?,
            first_seen_at: row.get::<_, Micros>(2)?.0,
            last_contact_at: row.get::<_, Micros>(3)?.0,
            last_sequence: row.get(4)?,
            revoked_at: row.get::<_, Option<Micros>>(5)?.map(|at| at.0),
            waiting: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        })
    };
    tx.prepare(
        "SELECT d.id, d.name, d.first_seen_us, d.last_contact_us,
                (SELECT coalesce(max(i.sequence), 0) FROM outbox_items i WHERE i.device_id = d.id), d.revoked_us,
                d.waiting
         FROM devices d ORDER BY d.last_contact_us DESC, d.id",
    )?
    .query_map([], device)?
    .collect()
}

/// Revokes a PC, once: the first moment stays. `false` when there is no such PC.
pub fn revoke(tx: &Connection, id: Uuid, now: Timestamp, by: &Actor) -> rusqlite::Result<bool> {
    let sql = "UPDATE devices SET revoked_us = ?2 WHERE id = ?1 AND revoked_us IS NULL";
    let changed = tx.execute(sql, params![id, Micros(now)])?;
    note(tx, id, changed, &NewAct::new(Act::DeviceRevoked, now).by(by).at_device(id))
}

/// Trusts a PC again. `false` when there is no such PC.
pub fn restore(tx: &Connection, id: Uuid, now: Timestamp, by: &Actor) -> rusqlite::Result<bool> {
    let sql = "UPDATE devices SET revoked_us = NULL WHERE id = ?1 AND revoked_us IS NOT NULL";
    let changed = tx.execute(sql, [id])?;
    note(tx, id, changed, &NewAct::new(Act::DeviceTrusted, now).by(by).at_device(id))
}

/// Appends the act if anything changed; whether there is such a PC.
fn note(tx: &Connection, id: Uuid, changed: usize, act: &NewAct) -> rusqlite::Result<bool> {
    if changed == 1 {
        audit::append(tx, act)?;
    }
    tx.prepare_cached("SELECT 1 FROM devices WHERE id = ?1")?.exists([id])
}
