//! The PCs that signed in: their last contact, and whether the caja still trusts them.

use jiff::Timestamp;
use uuid::Uuid;

use super::audit;
use super::columns::{Columns, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use crate::audit::{Act, Actor, NewAct};
use crate::store::{Device, Sender};

/// Registers a PC that signs in, unless it is revoked: `false`.
pub async fn register(tx: &Tx, id: Uuid, name: &str, now: Timestamp) -> Done<bool> {
    let written = tx
        .execute(
            "INSERT INTO devices (id, name, first_seen_at, last_seen_at, last_contact_at, revoked_at)
             VALUES ($1, $2, $3, $3, $3, NULL)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen_at = excluded.last_seen_at,
                 last_contact_at = excluded.last_contact_at
             WHERE devices.revoked_at IS NULL",
            &[&id, &name, &Moment(now)],
        )
        .await?;
    Ok(written == 1)
}

/// Notes a contact, and how many items still wait at the PC if it says so; tells since when the PC is revoked. Until the end
/// of the transaction nobody else does so for it.
pub const NOTE_CONTACT: &str = "UPDATE devices SET last_contact_at = $2, waiting = coalesce($3, waiting)
     WHERE id = $1 RETURNING revoked_at";

/// Who signed in last at a PC for an entity.
pub async fn last_sender(tx: &Tx, device_id: Uuid) -> Done<Option<Sender>> {
    let row = tx
        .row_or_none(
            "SELECT a.entity_id, a.id FROM sessions s JOIN accounts a ON a.id = s.account_id
             WHERE s.device_id = $1 AND a.entity_id IS NOT NULL ORDER BY s.opened_at DESC, s.id DESC LIMIT 1",
            &[&device_id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Sender { entity_id: row.value(0)?, account_id: row.value(1)?, device_id }))
}

/// Every PC, the one of the last contact first.
pub async fn all(tx: &Tx) -> Done<Vec<Device>> {
    let rows = tx
        .rows(
            "SELECT d.id, d.name, d.first_seen_at, d.last_contact_at,
                    (SELECT coalesce(max(i.sequence), 0) FROM outbox_items i WHERE i.device_id = d.id), d.revoked_at,
                    d.waiting
             FROM devices d ORDER BY d.last_contact_at DESC, d.id",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let waiting = row.value::<Option<i64>>(6)?.map(u64::try_from).transpose();
            Ok(Device {
                waiting: waiting.map_err(|error| Trouble::Unreadable(error.into()))?,
                id: row.value(0)?,
                name: row.value(1)?,
                first_seen_at: row.moment(2)?,
                last_contact_at: row.moment(3)?,
                last_sequence: row.value(4)?,
                revoked_at: row.value::<Option<Moment>>(5)?.map(|at| at.0),
            })
        })
        .collect()
}

/// Revokes a PC, once: the first moment stays. `false` when there is no such PC.
pub async fn revoke(tx: &Tx, id: Uuid, now: Timestamp, by: &Actor) -> Done<bool> {
    let sql = "UPDATE devices SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    let changed = tx.execute(sql, &[&id, &Moment(now)]).await?;
    note(tx, id, changed, &NewAct::new(Act::DeviceRevoked, now).by(by).at_device(id)).await
}

/// Trusts a PC again. `false` when there is no such PC.
pub async fn restore(tx: &Tx, id: Uuid, now: Timestamp, by: &Actor) -> Done<bool> {
    let sql = "UPDATE devices SET revoked_at = NULL WHERE id = $1 AND revoked_at IS NOT NULL";
    let changed = tx.execute(sql, &[&id]).await?;
    note(tx, id, changed, &NewAct::new(Act::DeviceTrusted, now).by(by).at_device(id)).await
}

/// Appends the act if anything changed; whether there is such a PC.
async fn note(tx: &Tx, id: Uuid, changed: u64, act: &NewAct) -> Done<bool> {
    if changed == 1 {
        audit::append(tx, act).await?;
    }
    tx.exists("SELECT 1 FROM devices WHERE id = $1", &[&id]).await
}
